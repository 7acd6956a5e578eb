import { checksum, octal, text, type TarHeader } from '../../archive/tar.ts'

/** What other programs write: POSIX, and the older format of GNU tar. */
const POSIX = 'ustar\x0000'
const GNU = 'ustar  \0'
const TYPE_AND_PERMISSIONS = 0o177777
const PERMISSIONS = 0o7777

/**
 * A header block as GNU tar, bsdtar, busybox, Python and Go write it; a string says what is wrong with the block. Wider
 * than the codec of sealed archives: GNU's magic, whose `prefix` field holds other things, numbers in base 256, and
 * modes that carry the type of the file.
 */
export function decodeEntryHeader(block: Buffer): TarHeader | string {
  const magic = block.toString('latin1', 257, 265)
  if (magic !== POSIX && magic !== GNU) return 'a header block is not ustar'
  if (octal(block, 148, 8) !== checksum(block)) return 'the checksum of a header block is wrong'
  const numbers = {
    mode: numeric(block, 100, 8),
    uid: numeric(block, 108, 8),
    gid: numeric(block, 116, 8),
    size: numeric(block, 124, 12),
    mtime: numeric(block, 136, 12),
  }
  for (const [field, value] of Object.entries(numbers)) {
    const least = field === 'mtime' ? Number.MIN_SAFE_INTEGER : 0
    if (!Number.isSafeInteger(value) || value < least) return `a header block has no valid ${field}`
  }
  if (numbers.mode > TYPE_AND_PERMISSIONS) return 'a header block has no valid mode'
  const name = text(block, 0, 100)
  const prefix = magic === POSIX ? text(block, 345, 155) : ''
  return {
    ...numbers,
    mode: numbers.mode & PERMISSIONS,
    typeFlag: block.toString('latin1', 156, 157),
    name: prefix === '' ? name : prefix === undefined || name === undefined ? undefined : `${prefix}/${name}`,
    link: text(block, 157, 100),
  }
}

/** Octal digits, or GNU's base 256: a set first bit, and a big-endian number in two's complement behind it. */
function numeric(block: Buffer, at: number, size: number): number {
  const first = block[at] ?? 0
  if (first < 0x80) return octal(block, at, size)
  return Number(BigInt.asIntN(size * 8 - 1, BigInt(`0x${block.toString('hex', at, at + size)}`)))
}
