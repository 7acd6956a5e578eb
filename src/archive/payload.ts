import type { KeyObject } from 'node:crypto'
import { SealiftError } from '../errors.ts'
import type { ByteReader } from './byte-reader.ts'
import { DATA, openChunk, type SealedChunk } from './chunk.ts'
import { readChunks, type Layout } from './chunk-reader.ts'
import { expandFrame } from './frame.ts'
import { giveBack } from './give-back.ts'
import type { Header } from './header.ts'
import { inOrder } from './ordered.ts'

/** Chunks that are opened ahead of the one that is asked for; as when writing, one thread is left for the disk. */
export const READ_AHEAD = 3

/** What the chunks of one archive hold, in the order of the file: first the payload, then the index. */
export class Payload {
  readonly layout: Layout = { dataLengths: [], indexOffset: 0, indexNumber: 0, size: 0 }
  readonly #opened: AsyncGenerator<{ isData: boolean; content: Buffer }, void, undefined>
  readonly #chunkSize: number
  #firstOfIndex: Buffer | undefined

  constructor(input: ByteReader, key: KeyObject, header: Header) {
    this.#chunkSize = header.chunkSize
    this.#opened = inOrder(
      readChunks(input, header.chunkSize, this.layout),
      READ_AHEAD,
      async (chunk: SealedChunk) => {
        const plaintext = openChunk(key, chunk)
        const isData = chunk.kind === DATA
        return { isData, content: isData ? await expandSlice(plaintext, header, chunk.number) : plaintext }
      },
    )
  }

  /** The tar stream. */
  async *data(): AsyncGenerator<Buffer, void, undefined> {
    let shorter = false
    for (let number = 0; ; number++) {
      const { value, done } = await this.#opened.next()
      if (done === true) return
      if (!value.isData) {
        this.#firstOfIndex = value.content
        return
      }
      const { length } = value.content
      if (length === 0 || shorter) {
        const reason = 'only the last slice of the payload may be shorter than chunk_size, and none is empty'
        throw new SealiftError('CONTENTS_DISAGREE', { member: `data chunk ${number}`, reason })
      }
      shorter = length < this.#chunkSize
      yield value.content
    }
  }

  /** The index as it was compressed; then the footer has been checked, and that nothing follows it. */
  async *index(): AsyncGenerator<Buffer, void, undefined> {
    if (this.#firstOfIndex !== undefined) yield this.#firstOfIndex
    for await (const { content } of this.#opened) yield content
  }

  async close(): Promise<void> {
    await this.#opened.return()
  }
}

/** The slice of the payload that a data chunk holds [D-1, D-2]; `plaintext` is used up. CONTENTS_DISAGREE. */
export async function expandSlice(plaintext: Buffer, header: Header, chunk: number): Promise<Buffer> {
  const where = `data chunk ${chunk}`
  if (header.compression === 'zstd') {
    const slice = await expandFrame(plaintext, header.chunkSize, where)
    giveBack(plaintext)
    return slice
  }
  if (plaintext.length > header.chunkSize) {
    throw new SealiftError('CONTENTS_DISAGREE', { member: where, reason: 'it is longer than chunk_size' })
  }
  return plaintext
}
