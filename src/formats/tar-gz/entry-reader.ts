import type { ByteReader } from '../../archive/byte-reader.ts'
import { PATH_LIMIT } from '../../archive/member-path.ts'
import { decodePax, IGNORED, PAX_LIMIT, utf8, type PaxRecords } from '../../archive/pax.ts'
import { BLOCK, memberOf, paddingOf, shownName, type TarHeader } from '../../archive/tar.ts'
import type { Member } from '../../member.ts'
import { decodeEntryHeader } from './entry-header.ts'
import type { TarGzFailures } from './failures.ts'

const PAX = 'x'
const GNU_LONG_NAME = 'L'
const GNU_LONG_LINK = 'K'
/** What an archive of another program may hold and this reader never takes, by its tar type. */
const REFUSED: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symlink',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  S: 'a sparse file',
  g: 'a global pax header',
}
/** Keywords of star, bsdtar and of security labels: about the file, not about where and what it is. */
const vendor = /^(SCHILY|LIBARCHIVE|RHT)\./
const ignores = (key: string): boolean => IGNORED.has(key) || vendor.test(key)

const ZEROS = Buffer.alloc(65_536)
const isZero = (bytes: Buffer): boolean => bytes.equals(ZEROS.subarray(0, bytes.length))

/**
 * The next file or folder of a tar, its path as it stands there; undefined behind the last, once the rest was found to
 * be zeros. The input then stands at the content.
 */
export async function readEntry(input: ByteReader, failures: TarGzFailures): Promise<Member | undefined> {
  let records: PaxRecords | undefined
  let longName: string | undefined
  let longLink: string | undefined
  for (;;) {
    const block = await readBlock(input, failures)
    if (isZero(block)) {
      if (records !== undefined || longName !== undefined || longLink !== undefined)
        throw failures.invalid('a header of a member has no member')
      if (!isZero(await readBlock(input, failures)))
        throw failures.invalid('one block of zeros does not end a tar')
      await readEnd(input, failures)
      return undefined
    }
    const header = decodeEntryHeader(block)
    if (typeof header === 'string') throw failures.invalid(header)
    if (header.typeFlag === PAX && records === undefined) {
      records = await readPax(input, header, failures)
    } else if (header.typeFlag === GNU_LONG_NAME && longName === undefined) {
      longName = await readLongName(input, header, failures)
    } else if (header.typeFlag === GNU_LONG_LINK && longLink === undefined) {
      longLink = await readLongName(input, header, failures)
    } else {
      const all = { ...(longName === undefined ? {} : { path: longName }), ...records }
      const kind = REFUSED[header.typeFlag]
      if (kind !== undefined) throw failures.refused(shownName(header, all), `it is ${kind}`)
      const member = memberOf(header, all)
      if (typeof member === 'string') throw failures.refused(shownName(header, all), member)
      return member
    }
  }
}

/** What fills the last block of a member's content: zeros, or with some programs whatever lay there. */
export async function readPadding(input: ByteReader, size: number, failures: TarGzFailures): Promise<void> {
  const padding = await input.read(paddingOf(size))
  if (padding.length < paddingOf(size)) throw failures.invalid('the tar has no end')
}

async function readBlock(input: ByteReader, failures: TarGzFailures): Promise<Buffer> {
  const block = await input.read(BLOCK)
  if (block.length < BLOCK) throw failures.invalid('the tar has no end')
  return block
}

async function readPax(input: ByteReader, { size }: TarHeader, failures: TarGzFailures): Promise<PaxRecords> {
  const records = decodePax(await readWhole(input, size, PAX_LIMIT, failures), ignores)
  if (typeof records === 'string') throw failures.refused('a member', records)
  return records
}

/** GNU tar's way to say a name of more than 100 bytes: as the content of a member before, ended by a zero byte. */
async function readLongName(
  input: ByteReader,
  { size }: TarHeader,
  failures: TarGzFailures,
): Promise<string> {
  const bytes = await readWhole(input, size, PATH_LIMIT + 1, failures)
  const end = bytes.indexOf(0)
  const name = utf8(end < 0 ? bytes : bytes.subarray(0, end))
  if (name === undefined || name === '') throw failures.refused('a member', 'its long name is not UTF-8')
  return name
}

async function readWhole(
  input: ByteReader,
  size: number,
  limit: number,
  failures: TarGzFailures,
): Promise<Buffer> {
  if (size > limit) throw failures.refused('a member', `its header has ${size} bytes, more than ${limit}`)
  const bytes = await input.read(size)
  if (bytes.length < size) throw failures.invalid('the tar has no end')
  await readPadding(input, size, failures)
  return bytes
}

/** Behind the two blocks of zeros a tar is filled up to a whole record. */
async function readEnd(input: ByteReader, failures: TarGzFailures): Promise<void> {
  for (;;) {
    const rest = await input.some(ZEROS.length)
    if (rest.length === 0) return
    if (!isZero(rest)) throw failures.invalid('something stands behind the end of the tar')
  }
}
