import { constants, createGzip } from 'node:zlib'
import { ByteReader } from '../../archive/byte-reader.ts'
import { pathRefusal, shownPath } from '../../archive/member-path.ts'
import { MemberSet } from '../../archive/member-set.ts'
import { encodeTarHeader, paddingOf, TAR_END } from '../../archive/tar.ts'
import { SealiftError } from '../../errors.ts'
import type { Member } from '../../member.ts'
import { through } from '../through.ts'

const PIECE = 65_536

/** A file or a folder to write: a file has `content`, read once, of exactly `member.size` bytes. */
export interface TarGzEntry {
  readonly member: Member
  readonly content?: () => AsyncIterable<Uint8Array>
}

export interface WriteTarGzOptions {
  /** What stands before each path: nothing, or `./` as `tar czf - .` writes it. */
  readonly prefix?: '' | './' | undefined
  /** gzip's, 0 to 9; 6 unless told otherwise. */
  readonly level?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A .tar.gz (POSIX, with pax headers only where they are needed) that every tar reads. It is complete only once the
 * iteration has ended. A piece of content is copied before the next is asked for. MEMBER_REFUSED for what `readTarGz`
 * would not take, MEMBER_SIZE_DIFFERS where content has another size than announced. The entries are closed in every
 * case.
 */
export function writeTarGz(
  entries: AsyncIterable<TarGzEntry> | Iterable<TarGzEntry>,
  { prefix = '', level = constants.Z_DEFAULT_COMPRESSION, signal }: WriteTarGzOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const bug = (cause?: unknown) =>
    new SealiftError('BUG', { reason: 'gzip refused what it was to compress' }, cause)
  return through(tar(entries, prefix, signal), createGzip({ level }), {
    broken: bug,
    short: bug,
    trailing: () => bug(),
  })
}

async function* tar(
  entries: AsyncIterable<TarGzEntry> | Iterable<TarGzEntry>,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const seen = new MemberSet()
  for await (const { member, content } of entries) {
    signal?.throwIfAborted()
    const { path, type, size } = member
    const reason = pathRefusal(path) ?? typeRefusal(member) ?? seen.add(path, type, undefined)
    if (reason !== undefined) throw new SealiftError('MEMBER_REFUSED', { member: shownPath(path), reason })
    yield encodeTarHeader({ ...member, path: `${prefix}${path}` })
    let got = 0
    await using input = new ByteReader(content?.() ?? nothing(), signal)
    for (let piece = await input.some(PIECE); piece.length > 0; piece = await input.some(PIECE)) {
      got += piece.length
      if (got > size) break
      yield Buffer.from(piece)
    }
    if (got !== size) throw new SealiftError('MEMBER_SIZE_DIFFERS', { member: shownPath(path), size, got })
    yield Buffer.alloc(paddingOf(size))
  }
  signal?.throwIfAborted()
  yield TAR_END
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

function typeRefusal({ type, size }: Member): string | undefined {
  if (type === 'file') return undefined
  return type === 'directory' && size === 0 ? undefined : `it is a ${type}, not a file or an empty entry`
}
