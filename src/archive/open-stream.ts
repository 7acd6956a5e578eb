import { createHash } from 'node:crypto'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { IndexEntry, Member } from '../member.ts'
import { ByteReader } from './byte-reader.ts'
import { checksumText } from './checksums.ts'
import { describeHeader, readHeader, type ArchiveHeader } from './header.ts'
import { indexCheck } from './index-check.ts'
import { IndexLog } from './index-log.ts'
import { expandIndex } from './index-text.ts'
import { payloadKey } from './key-schedule.ts'
import { decodeManifest, MANIFEST_LIMIT } from './manifest-member.ts'
import { CHECKSUMS_PATH, MANIFEST_PATH, shownPath } from './member-path.ts'
import { Payload } from './payload.ts'
import type { OpenKey } from './slots.ts'
import { TarReader } from './tar-reader.ts'
import { TextCheck } from './text-check.ts'
import { unlock } from './unlock.ts'

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined
  /** What the input is called in NOT_AN_ARCHIVE. */
  readonly name?: string | undefined
}

/** A member as it comes by. */
export interface StreamedMember {
  readonly member: Member
  /** Offset of the first content byte in the tar stream. */
  readonly offset: number
  /** The content; only until the next member is asked for, and once. */
  readonly content: () => AsyncIterable<Buffer>
}

/**
 * Opens an archive that comes from a pipe. What is released has passed its chunk's tag; the archive as a whole is good
 * once `members()` has ended. NOT_AN_ARCHIVE, ARCHIVE_TOO_NEW, HEADER_INVALID, NO_KEY_FITS, HEADER_CHANGED, ARCHIVE_CUT.
 */
export async function openStream(
  input: AsyncIterable<Uint8Array>,
  keys: readonly OpenKey[],
  { signal, name }: OpenOptions = {},
): Promise<ArchiveStream> {
  const reader = new ByteReader(input, signal)
  try {
    const read = await readHeader((size) => reader.read(size), name)
    const { fileKey, slot } = await unlock(read, keys, signal)
    const payload = new Payload(reader, payloadKey(fileKey, read.header.id), read.header)
    return new ArchiveStream(reader, describeHeader(read), slot, payload)
  } catch (error) {
    await reader[Symbol.asyncDispose]()
    throw error
  }
}

/** An archive that is read once, from its first byte to its last. Whoever opened it disposes of it. */
export class ArchiveStream implements AsyncDisposable {
  readonly header: ArchiveHeader
  /** The number of the slot that opened. */
  readonly slot: number
  readonly #input: ByteReader
  readonly #payload: Payload
  #manifest: Manifest | undefined

  constructor(input: ByteReader, header: ArchiveHeader, slot: number, payload: Payload) {
    this.header = header
    this.slot = slot
    this.#input = input
    this.#payload = payload
  }

  /** Bytes of the archive that were taken so far. */
  get bytesIn(): number {
    return this.#input.position
  }

  /** Known once `members()` has ended. */
  get manifest(): Manifest {
    if (this.#manifest === undefined)
      throw new SealiftError('BUG', { reason: 'the archive is not read to its end' })
    return this.#manifest
  }

  /**
   * Every member in tar order, MANIFEST.json and SHA256SUMS too, once. Content that is not asked for is skipped and
   * still verified. When the iteration has ended, everything has been: each tag, the order of the chunks, the footer,
   * that nothing follows it, the rules of §5, and that the index, SHA256SUMS and the manifest agree with the tar.
   * CHUNK_CHANGED, ARCHIVE_CUT, FOOTER_CHANGED, TRAILING_DATA, MEMBER_REFUSED, CONTENTS_DISAGREE.
   */
  async *members(): AsyncGenerator<StreamedMember, void, undefined> {
    const tape = new ByteReader(this.#payload.data())
    const tar = new TarReader(tape)
    const log = new IndexLog()
    let before = ''
    for (let member = await tar.next(); member !== undefined; member = await tar.next()) {
      checkOrder(before, member)
      before = member.path
      const offset = tape.position
      const content = new MemberContent(tape, member, this.#watch(member, log))
      yield { member, offset, content: () => content.read() }
      log.add(entryOf(member, offset, await content.end()))
    }
    if (before !== CHECKSUMS_PATH) throw disagree(CHECKSUMS_PATH, 'it is missing')
    const { dataLengths } = this.#payload.layout
    const check = indexCheck(log, { payloadSize: tape.position, members: log.members, chunks: dataLengths })
    for await (const text of expandIndex(this.#payload.index())) check.push(text)
    check.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#payload.close()
    await this.#input[Symbol.asyncDispose]()
  }

  /** What else happens to the content of the two members that the archive itself wrote. */
  #watch(member: Member, log: IndexLog): Watch | undefined {
    if (member.path === MANIFEST_PATH) {
      if (member.size > MANIFEST_LIMIT)
        throw disagree(MANIFEST_PATH, `it has more than ${MANIFEST_LIMIT} bytes`)
      const pieces: Buffer[] = []
      return {
        push: (piece) => pieces.push(piece),
        end: () => (this.#manifest = decodeManifest(Buffer.concat(pieces), this.header.id)),
      }
    }
    return member.path === CHECKSUMS_PATH ? checksumCheck(log) : undefined
  }
}

/** MANIFEST.json is the second to last member and SHA256SUMS the last, both of them files [P-6]. */
function checkOrder(before: string, { path, type }: Member): void {
  const isOwn = path === MANIFEST_PATH || path === CHECKSUMS_PATH
  if (isOwn && type !== 'file') throw disagree(path, `it is a ${type}`)
  if (before === CHECKSUMS_PATH) throw disagree(shownPath(path), `it stands behind ${CHECKSUMS_PATH}`)
  if ((before === MANIFEST_PATH) !== (path === CHECKSUMS_PATH)) {
    throw disagree(MANIFEST_PATH, `it is not the member before ${CHECKSUMS_PATH}`)
  }
}

function checksumCheck(log: IndexLog): TextCheck {
  return new TextCheck(checksumText(log), (expected, found) => {
    const path = /^\\?[0-9a-f]{64} {2}(.*)$/.exec(expected === '' ? found : expected)?.[1] ?? CHECKSUMS_PATH
    return disagree(shownPath(path), `${CHECKSUMS_PATH} says something else of it`)
  })
}

function entryOf(member: Member, offset: number, sha256: string): IndexEntry {
  const { path, type, link, size, mode, mtimeMs } = member
  const common = { path, type, ...(link === undefined ? {} : { link }), size, mode, mtimeMs, offset }
  return type === 'file' ? { ...common, sha256 } : common
}

interface Watch {
  push(piece: Buffer): void
  end(): void
}

/** The content of one member: hashed whether it is asked for or not. */
class MemberContent {
  readonly #tape: ByteReader
  readonly #member: Member
  readonly #watch: Watch | undefined
  readonly #sha256 = createHash('sha256')
  #left: number
  #ended = false

  constructor(tape: ByteReader, member: Member, watch: Watch | undefined) {
    this.#tape = tape
    this.#member = member
    this.#watch = watch
    this.#left = member.size
  }

  async *read(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) yield await this.#next()
    if (this.#ended) throw new SealiftError('BUG', { reason: `${this.#member.path} was asked for too late` })
  }

  /** Skips what is left; the SHA-256 of all of it in hex. */
  async end(): Promise<string> {
    while (this.#left > 0) await this.#next()
    this.#ended = true
    this.#watch?.end()
    return this.#sha256.digest('hex')
  }

  async #next(): Promise<Buffer> {
    const piece = await this.#tape.some(this.#left)
    if (piece.length === 0) throw disagree(shownPath(this.#member.path), 'the tar ends within it')
    this.#left -= piece.length
    this.#sha256.update(piece)
    this.#watch?.push(piece)
    return piece
  }
}

const disagree = (member: string, reason: string) => new SealiftError('CONTENTS_DISAGREE', { member, reason })
