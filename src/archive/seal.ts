import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { IndexEntry, Member } from '../member.ts'
import { checksumSize, checksumText } from './checksums.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { compressFrameSync, DEFAULT_LEVEL } from './frame.ts'
import {
  chunkSizeField,
  DEFAULT_CHUNK_SIZE,
  encodeHeader,
  formatSeconds,
  type Compression,
} from './header.ts'
import { encodeSummaryLine } from './index-lines.ts'
import { IndexLog } from './index-log.ts'
import { headerMac, payloadKey } from './key-schedule.ts'
import { CHECKSUMS_PATH, linkRefusal, MANIFEST_PATH, pathRefusal, shownPath } from './member-path.ts'
import { MemberSet } from './member-set.ts'
import { makeKeys, type KeyOptions, type NewKeys } from './new-keys.ts'
import { partPath, partsOf } from './parts.ts'
import { Sink } from './sink.ts'
import { BLOCK, encodeTarHeader, paddingOf, TAR_END } from './tar.ts'
import { timeFits } from './timestamp.ts'

export interface BeginOptions {
  /** Where the archive goes. `finish` ends it; a Sealer that is disposed of before that destroys it. */
  readonly out: Writable
  readonly createdAt: Date
  /** Product and version, for example `sealift/0.1.0`: printable ASCII. */
  readonly writer: string
  readonly compression?: Compression | undefined
  /** The zstd level, 1 unless told otherwise. */
  readonly level?: number | undefined
  readonly chunkSize?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type SealOptions = KeyOptions & BeginOptions

/** What was written. Sizes in bytes. */
export interface SealSummary {
  readonly id: string
  readonly payloadSize: number
  readonly members: number
  readonly archiveSize: number
}

/** Begins an archive: makes its keys and writes its header. SLOTS_LIMIT, KEY_INVALID. */
export async function seal(options: SealOptions): Promise<Sealer> {
  return sealWith(await makeKeys(options), options)
}

/** Begins an archive with keys that were made for it: writes its header. */
export async function sealWith({ id, fileKey, slots }: NewKeys, options: BeginOptions): Promise<Sealer> {
  const { signal, compression = 'zstd' } = options
  const chunkSize = chunkSizeField(options.chunkSize ?? DEFAULT_CHUNK_SIZE)
  const createdAt = formatSeconds(options.createdAt)
  const header = encodeHeader({ id, createdAt, writer: options.writer, compression, chunkSize, slots })
  const sink = new Sink(options.out, signal)
  try {
    await sink.write([header, headerMac(fileKey, id, header)])
  } catch (error) {
    sink.destroy()
    throw error
  }
  const level = options.level ?? DEFAULT_LEVEL
  const chunks = new ChunkWriter(sink, payloadKey(fileKey, id), { chunkSize, compression, level })
  return new Sealer(id, options.createdAt, sink, chunks, signal)
}

/**
 * An archive that is being written: members in tar order, then `finish`. One call at a time. After a call has thrown
 * nothing can be added any more; disposing of it then destroys the output, so that no part of it looks complete.
 */
export class Sealer implements AsyncDisposable {
  /** 32 hex digits that name this archive. */
  readonly id: string
  readonly #createdAt: Date
  readonly #sink: Sink
  readonly #chunks: ChunkWriter
  readonly #signal: AbortSignal | undefined
  readonly #seen = new MemberSet()
  readonly #log = new IndexLog()
  #checksumsSize = 0
  #bytesIn = 0
  #state: 'open' | 'failed' | 'finished' = 'open'

  constructor(id: string, createdAt: Date, sink: Sink, chunks: ChunkWriter, signal: AbortSignal | undefined) {
    this.id = id
    this.#createdAt = createdAt
    this.#sink = sink
    this.#chunks = chunks
    this.#signal = signal
  }

  /** Bytes of content that were added so far. */
  get bytesIn(): number {
    return this.#bytesIn
  }

  /** Bytes of the archive that were written so far. */
  get bytesOut(): number {
    return this.#sink.bytes
  }

  /**
   * Appends a member; a `file` comes with its content, of exactly `member.size` bytes. The pieces of `content` are
   * done with when the next one is asked for, so a source may use one buffer for all of them.
   * MEMBER_REFUSED by the rules of archive-v1 §5, MEMBER_SIZE_DIFFERS.
   */
  async add(member: Member, content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<IndexEntry> {
    if (member.path === MANIFEST_PATH || member.path === CHECKSUMS_PATH) {
      throw refuse(member.path, 'the archive writes this member itself')
    }
    return this.#guarded(() => this.#add(member, content ?? []))
  }

  /**
   * Appends a stream whose length is not known, in members `<path>.part-00001` and so on, of at most 16 MiB each; an
   * empty stream has one empty part.
   */
  async addParts(
    member: Omit<Member, 'size' | 'type' | 'link'>,
    content: AsyncIterable<Uint8Array>,
  ): Promise<IndexEntry[]> {
    return this.#guarded(async () => {
      const entries: IndexEntry[] = []
      for await (const part of partsOf(content)) {
        const path = partPath(member.path, entries.length + 1)
        entries.push(await this.#add({ ...member, path, type: 'file', size: part.length }, [part]))
      }
      return entries
    })
  }

  /** Writes the manifest, the checksums, the index and the footer, and ends the output. */
  async finish(manifest: Manifest): Promise<SealSummary> {
    return this.#guarded(async () => {
      if (manifest.archive_id !== this.id) {
        throw new SealiftError('BUG', { reason: 'the manifest names another archive' })
      }
      const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
      await this.#add(this.#ownMember(MANIFEST_PATH, text.length), [text])
      await this.#add(this.#ownMember(CHECKSUMS_PATH, this.#checksumsSize), checksumText(this.#log))
      await this.#chunks.write(TAR_END)
      await this.#chunks.flush()
      const { payloadSize, dataLengths } = this.#chunks
      const members = this.#log.members
      const summary = encodeSummaryLine({ payloadSize, members, chunks: dataLengths })
      await this.#chunks.end([...this.#log.frames(), ...framesOf(summary)])
      await this.#sink.end()
      return { id: this.id, payloadSize, members, archiveSize: this.#sink.bytes }
    }, 'finished')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'finished') return
    this.#state = 'failed'
    this.#sink.destroy()
    await this.#chunks.settle()
  }

  /** Runs one call; where it throws, the state stays `failed`. */
  async #guarded<Result>(work: () => Promise<Result>, after: 'open' | 'finished' = 'open'): Promise<Result> {
    if (this.#state !== 'open')
      throw new SealiftError('BUG', { reason: `the archive is already ${this.#state}` })
    this.#signal?.throwIfAborted()
    this.#state = 'failed'
    const result = await work()
    this.#state = after
    return result
  }

  async #add(member: Member, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<IndexEntry> {
    const { path, type, link, size, mode, mtimeMs } = member
    const reason =
      pathRefusal(path) ??
      linkRefusal(type, link) ??
      numberRefusal(member) ??
      this.#seen.add(path, type, link)
    if (reason !== undefined) throw refuse(path, reason)
    await this.#chunks.write(encodeTarHeader(member))
    const offset = this.#chunks.payloadSize
    const common = { path, type, ...(link === undefined ? {} : { link }), size, mode, mtimeMs }
    const entry: IndexEntry =
      type === 'file'
        ? { ...common, sha256: await this.#content(path, size, content), offset }
        : { ...common, offset }
    this.#log.add(entry)
    if (entry.sha256 !== undefined) this.#checksumsSize += checksumSize(path, entry.sha256)
    return entry
  }

  /** Copies a file's content into the payload, and its padding; the SHA-256 of it in hex. */
  async #content(
    member: string,
    size: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<string> {
    const sha256 = createHash('sha256')
    let got = 0
    for await (const piece of content) {
      got += piece.length
      if (got > size) throw new SealiftError('MEMBER_SIZE_DIFFERS', { member: shownPath(member), size, got })
      this.#signal?.throwIfAborted()
      sha256.update(piece)
      await this.#chunks.write(piece)
      this.#bytesIn += piece.length
    }
    if (got < size) throw new SealiftError('MEMBER_SIZE_DIFFERS', { member: shownPath(member), size, got })
    await this.#chunks.write(PADDING.subarray(0, paddingOf(size)))
    return sha256.digest('hex')
  }

  #ownMember(path: string, size: number): Member {
    const mtimeMs = Math.floor(this.#createdAt.getTime() / 1000) * 1000
    return { path, type: 'file', size, mode: 0o644, mtimeMs, uid: 0, gid: 0 }
  }
}

const PADDING = Buffer.alloc(BLOCK)
const FRAME_TEXT = 65_536
const FRAME_LEVEL = 3

/** The last index line as frames: it lists every chunk, so a large archive has a long one. */
function framesOf(line: string): Buffer[] {
  const text = Buffer.from(line)
  const frames: Buffer[] = []
  for (let offset = 0; offset < text.length; offset += FRAME_TEXT) {
    frames.push(compressFrameSync(text.subarray(offset, offset + FRAME_TEXT), FRAME_LEVEL))
  }
  return frames
}

function numberRefusal({ type, size, mode, mtimeMs, uid, gid }: Member): string | undefined {
  if (!Number.isSafeInteger(size) || size < 0) return `its size is ${size}`
  if (type !== 'file' && size !== 0) return `it is a ${type} with content`
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) return 'its mode has more than permission bits'
  if (!timeFits(mtimeMs)) return 'its time is not within the years 0 to 9999'
  if (![uid, gid].every((owner) => Number.isSafeInteger(owner) && owner >= 0))
    return 'its owner is not a number'
  return undefined
}

const refuse = (path: string, reason: string) =>
  new SealiftError('MEMBER_REFUSED', { member: shownPath(path), reason })
