import { createGunzip } from 'node:zlib'
import { ByteReader } from '../../archive/byte-reader.ts'
import { pathRefusal } from '../../archive/member-path.ts'
import { MemberSet } from '../../archive/member-set.ts'
import { SealiftError } from '../../errors.ts'
import type { Member } from '../../member.ts'
import { through } from '../through.ts'
import { readEntry, readPadding } from './entry-reader.ts'
import { tarGzFailures, type TarGzFailures } from './failures.ts'

const PIECE = 65_536

export interface ReadTarGzOptions {
  /** How many members there may be. */
  readonly limit: number
  /** What the input is called in errors. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A file or a folder as it comes by. */
export interface TarGzMember {
  /** Its path has no `./` before it; `size` bytes of content follow, or 0. */
  readonly member: Member
  /** The content; only until the next member is asked for, and once. */
  readonly content: () => AsyncIterable<Buffer>
}

/**
 * The members of a .tar.gz that another program wrote, as POSIX (ustar, pax) or in the format of GNU tar, in bounded
 * memory whatever it expands to. `./` before a path is dropped, and so is the entry of the root folder. Content that is
 * not asked for is skipped. When the iteration has ended, gzip's checksum was right and nothing follows the tar.
 *
 * MEMBER_REFUSED: a path that is absolute, has `..` or appears twice, a link of either kind, a device, a FIFO, a sparse
 * file, more members than `limit`. TAR_GZ_INVALID, TAR_GZ_CUT. Errors of the input come out as they are. The input is
 * closed in every case.
 */
export async function* readTarGz(
  input: AsyncIterable<Uint8Array>,
  { limit, name, signal }: ReadTarGzOptions,
): AsyncGenerator<TarGzMember, void, undefined> {
  const failures = tarGzFailures(name)
  await using packed = new ByteReader(input, signal)
  await using tape = new ByteReader(expanded(packed, failures))
  const seen = new MemberSet()
  let count = 0
  for (let entry = await readEntry(tape, failures); entry; entry = await readEntry(tape, failures)) {
    const path = entry.path.replace(/^(\.\/+)+/, '')
    if (entry.type === 'directory' && (path === '' || path === '.')) continue
    const reason = pathRefusal(path) ?? seen.add(path, entry.type, undefined)
    if (reason !== undefined) throw failures.refused(entry.path, reason)
    if (++count > limit)
      throw failures.refused(entry.path, `it is one more than the ${limit} members allowed`)
    const member = { ...entry, path }
    const content = new Content(tape, member, failures)
    yield { member, content: () => content.read() }
    await content.end()
    await readPadding(tape, member.size, failures)
  }
}

function expanded(packed: ByteReader, failures: TarGzFailures): AsyncGenerator<Buffer, void, undefined> {
  async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
    for (let piece = await packed.some(PIECE); piece.length > 0; piece = await packed.some(PIECE)) yield piece
    if (packed.position === 0) throw failures.cut()
  }
  return through(pieces(), createGunzip(), {
    broken: (cause) => failures.invalid('its gzip is broken', cause),
    short: (cause) => failures.cut(cause),
    trailing: () => failures.invalid('something follows its gzip'),
  })
}

/** The content of one member, whether it is asked for or not. */
class Content {
  readonly #tape: ByteReader
  readonly #member: Member
  readonly #failures: TarGzFailures
  #left: number
  #ended = false

  constructor(tape: ByteReader, member: Member, failures: TarGzFailures) {
    this.#tape = tape
    this.#member = member
    this.#failures = failures
    this.#left = member.size
  }

  async *read(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) yield await this.#next()
    if (this.#ended) throw new SealiftError('BUG', { reason: `${this.#member.path} was asked for too late` })
  }

  /** Skips what is left. */
  async end(): Promise<void> {
    while (this.#left > 0) await this.#next()
    this.#ended = true
  }

  async #next(): Promise<Buffer> {
    const piece = await this.#tape.some(Math.min(this.#left, PIECE))
    if (piece.length === 0) throw this.#failures.invalid(`the tar ends within ${this.#member.path}`)
    this.#left -= piece.length
    return piece
  }
}
