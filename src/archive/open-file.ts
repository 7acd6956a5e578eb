import { createHash, type KeyObject } from 'node:crypto'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { IndexEntry } from '../member.ts'
import { CHUNK_HEAD, DATA, END, openChunk } from './chunk.ts'
import { readChunkAt, readFooter, walkChunks, type RandomAccess } from './file-layout.ts'
import { FOOTER_SIZE, type Footer } from './footer.ts'
import { describeHeader, readHeader, type ArchiveHeader, type ReadHeader } from './header.ts'
import { decodeIndexLine, type IndexSummary } from './index-lines.ts'
import { expandIndex } from './index-text.ts'
import { payloadKey } from './key-schedule.ts'
import { decodeManifest, MANIFEST_LIMIT } from './manifest-member.ts'
import { MANIFEST_PATH, shownPath } from './member-path.ts'
import type { OpenOptions } from './open-stream.ts'
import { inOrder } from './ordered.ts'
import { expandSlice, READ_AHEAD } from './payload.ts'
import type { OpenedKey, OpenKey } from './slots.ts'
import { openedKey, unlock, type Unlocked } from './unlock.ts'

/**
 * Opens an archive by random access: what is in it, and single members, without reading the rest. Closing `file` stays
 * with the caller. Errors as `openStream`; damage in chunks that are not read is not noticed.
 */
export async function openFile(
  file: RandomAccess,
  keys: readonly OpenKey[],
  options: OpenOptions = {},
): Promise<ArchiveFile> {
  const read = await readHeaderOf(file, options.name)
  const unlocked = await unlock(read, keys, options.signal)
  return new ArchiveFile(file, read, unlocked, options.signal)
}

/** The header of a file, nothing of it authenticated. */
export async function readHeaderOf(file: RandomAccess, name: string | undefined): Promise<ReadHeader> {
  let at = 0
  return readHeader(async (size) => {
    const bytes = await file.read(at, size)
    at += bytes.length
    return bytes
  }, name)
}

/** What a pass over the whole index leaves behind. */
interface Contents {
  readonly summary: IndexSummary
  readonly manifest: IndexEntry
  /** File offset of each data chunk. */
  readonly offsets: Float64Array
}

/** An open archive. It holds nothing that must be released. */
export class ArchiveFile {
  readonly header: ArchiveHeader
  /** The number of the slot that opened. */
  readonly slot: number
  /** Opens the same archive again, as a stream or to re-key it, without deriving the key again. */
  readonly key: OpenedKey
  readonly #file: RandomAccess
  readonly #read: ReadHeader
  readonly #key: KeyObject
  readonly #signal: AbortSignal | undefined
  #contents: Promise<Contents> | undefined
  #located: Promise<Footer> | undefined

  constructor(file: RandomAccess, read: ReadHeader, unlocked: Unlocked, signal: AbortSignal | undefined) {
    this.header = describeHeader(read)
    this.slot = unlocked.slot
    this.key = openedKey(unlocked, read.header.id)
    this.#file = file
    this.#read = read
    this.#key = payloadKey(unlocked.fileKey, read.header.id)
    this.#signal = signal
  }

  /**
   * Every member, MANIFEST.json and SHA256SUMS too, in tar order: from the index alone. Complete, and checked against
   * its own last line, once the iteration has ended. ARCHIVE_CUT, TRAILING_DATA, FOOTER_CHANGED, CHUNK_CHANGED,
   * CONTENTS_DISAGREE.
   */
  async *index(): AsyncGenerator<IndexEntry, void, undefined> {
    for await (const line of this.#lines()) if ('path' in line) yield line
  }

  /** Bytes of the tar stream, and how many members it has. */
  async summary(): Promise<{ payloadSize: number; members: number }> {
    const { payloadSize, members } = (await this.#load()).summary
    return { payloadSize, members }
  }

  async manifest(): Promise<Manifest> {
    const { manifest } = await this.#load()
    if (manifest.size > MANIFEST_LIMIT)
      throw disagree(MANIFEST_PATH, `it has more than ${MANIFEST_LIMIT} bytes`)
    return decodeManifest(Buffer.concat(await Array.fromAsync(this.content(manifest))), this.header.id)
  }

  /**
   * The content of one file of the index; reads only the chunks that hold it. Its SHA-256 is compared behind the last
   * piece: CONTENTS_DISAGREE then. CHUNK_CHANGED, ARCHIVE_CUT.
   */
  async *content(entry: IndexEntry): AsyncGenerator<Buffer, void, undefined> {
    const { chunkSize } = this.header
    const { offsets } = await this.#load()
    const sha256 = createHash('sha256')
    const end = entry.offset + entry.size
    const first = Math.floor(entry.offset / chunkSize)
    const last = entry.size === 0 ? first - 1 : Math.floor((end - 1) / chunkSize)
    const slices = inOrder(range(first, last), READ_AHEAD, (number) => this.#slice(number, offsets))
    let number = first
    for await (const slice of slices) {
      const begin = number++ * chunkSize
      const piece = slice.subarray(Math.max(0, entry.offset - begin), end - begin)
      sha256.update(piece)
      yield piece
    }
    if (sha256.digest('hex') !== entry.sha256 && entry.type === 'file') {
      throw disagree(shownPath(entry.path), 'its content has another SHA-256 than the index says')
    }
  }

  async #slice(number: number, offsets: Float64Array): Promise<Buffer> {
    this.#signal?.throwIfAborted()
    const at = offsets[number]
    if (at === undefined) throw disagree('the index', `it has no data chunk ${number}`)
    const chunk = await readChunkAt(this.#file, at, number, this.header.chunkSize)
    if (chunk.kind !== DATA) throw new SealiftError('CHUNK_CHANGED', { chunk: number, at })
    return expandSlice(openChunk(this.#key, chunk), this.#read.header, number)
  }

  get #footer(): Promise<Footer> {
    this.#located ??= readFooter(this.#file, this.header.headerSize).then(
      (footer) => footer ?? this.#explain(),
    )
    return this.#located
  }

  #load(): Promise<Contents> {
    this.#contents ??= this.#readContents()
    return this.#contents
  }

  async #readContents(): Promise<Contents> {
    let manifest: IndexEntry | undefined
    let summary: IndexSummary | undefined
    for await (const line of this.#lines()) {
      if (!('path' in line)) summary = line
      else if (line.path === MANIFEST_PATH) manifest = line
    }
    if (summary === undefined || manifest === undefined) throw disagree(MANIFEST_PATH, 'it is missing')
    const offsets = new Float64Array(summary.chunks.length)
    let at = this.header.headerSize
    for (const [number, length] of summary.chunks.entries()) {
      offsets[number] = at
      at += CHUNK_HEAD + length
    }
    // The number of the first index chunk is part of its nonce, so these two are true; the list must lead there [I-3].
    const { payloadSize, chunks } = summary
    const { indexOffset, indexNumber } = await this.#footer
    const counted = Math.ceil(payloadSize / this.header.chunkSize)
    if (at !== indexOffset || chunks.length !== indexNumber || counted !== indexNumber) {
      throw disagree('the last line', 'its chunks are not those of the archive')
    }
    return { summary, manifest, offsets }
  }

  /** The lines of the index, the last one last. */
  async *#lines(): AsyncGenerator<IndexEntry | IndexSummary, void, undefined> {
    let rest = ''
    let members = 0
    let summary: IndexSummary | undefined
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    for await (const text of expandIndex(this.#indexChunks())) {
      const lines = (rest + decodeText(decoder, text)).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LINE_LIMIT && !rest.startsWith(SUMMARY_START))
        throw disagree('the index', 'a line is too long')
      for (const line of lines) {
        if (summary !== undefined) throw disagree('the index', 'something stands behind its last line')
        const decoded = decodeIndexLine(line, members + 1)
        if ('path' in decoded) members++
        else summary = decoded
        yield decoded
      }
    }
    if (rest !== '' || summary?.members !== members)
      throw disagree('the index', 'its last line is missing or wrong')
  }

  async *#indexChunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* this.#indexChunksAt(await this.#footer)
    } catch (error) {
      if (isSealiftError(error, 'CHUNK_CHANGED')) await this.#explain(error)
      throw error
    }
  }

  /** Something at the end is wrong: only the chunks themselves can tell what. */
  async #explain(otherwise?: SealiftError): Promise<never> {
    await walkChunks(this.#file, this.header.headerSize, this.header.chunkSize)
    throw otherwise ?? new SealiftError('FOOTER_CHANGED', { at: this.#file.size - FOOTER_SIZE })
  }

  async *#indexChunksAt({ indexOffset, indexNumber }: Footer): AsyncGenerator<Buffer, void, undefined> {
    let at = indexOffset
    for (let number = indexNumber; ; number++) {
      this.#signal?.throwIfAborted()
      const chunk = await readChunkAt(this.#file, at, number, this.header.chunkSize)
      if (chunk.kind === DATA) throw new SealiftError('CHUNK_CHANGED', { chunk: number, at })
      yield openChunk(this.#key, chunk)
      at += CHUNK_HEAD + chunk.sealed.length
      if (chunk.kind !== END) continue
      if (at + FOOTER_SIZE !== this.#file.size) await this.#explain()
      return
    }
  }
}

/** Longer lines than any member has; the last line, which lists every chunk, has no such limit. */
const LINE_LIMIT = 131_072
const SUMMARY_START = '{"payload_size":'

function decodeText(decoder: TextDecoder, text: Buffer): string {
  try {
    return decoder.decode(text, { stream: true })
  } catch (error) {
    throw new SealiftError('CONTENTS_DISAGREE', { member: 'the index', reason: 'it is not UTF-8' }, error)
  }
}

async function* range(first: number, last: number): AsyncGenerator<number, void, undefined> {
  for (let number = first; number <= last; number++) yield number
}

const disagree = (member: string, reason: string) => new SealiftError('CONTENTS_DISAGREE', { member, reason })
