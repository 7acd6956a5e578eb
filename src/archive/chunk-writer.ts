import type { KeyObject } from 'node:crypto'
import { DATA, END, INDEX, sealChunk, TAG_SIZE } from './chunk.ts'
import { encodeFooter } from './footer.ts'
import { compressFrame } from './frame.ts'
import { giveBack } from './give-back.ts'
import type { Compression } from './header.ts'
import type { Sink } from './sink.ts'

/**
 * Chunks that are compressed at the same time. zlib and file reads share Node's pool of four threads: three leave one
 * for the disk. More gains nothing on two cores and costs memory.
 */
const IN_FLIGHT = 4

/**
 * Cuts the payload into chunks: each is compressed in the thread pool, several at a time, and sealed and written in
 * order. The buffers of the payload are used over and over, so memory stays at `IN_FLIGHT` + 1 chunks.
 */
export class ChunkWriter {
  /** Bytes of the payload so far. */
  payloadSize = 0
  /** The `length` field of each data chunk. */
  readonly dataLengths: number[] = []
  readonly #sink: Sink
  readonly #key: KeyObject
  readonly #compression: Compression
  readonly #level: number
  readonly #free: Buffer[]
  #current: Buffer
  #filled = 0
  #chunks = 0
  readonly #started: Promise<void>[] = []
  #last: Promise<void> = Promise.resolve()

  constructor(
    sink: Sink,
    key: KeyObject,
    options: { chunkSize: number; compression: Compression; level: number },
  ) {
    this.#sink = sink
    this.#key = key
    this.#compression = options.compression
    this.#level = options.level
    this.#current = Buffer.allocUnsafeSlow(options.chunkSize)
    this.#free = []
  }

  /** Appends to the payload. The bytes are copied before it returns. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const room = this.#current.length - this.#filled
      const part = offset === 0 && bytes.length <= room ? bytes : bytes.subarray(offset, offset + room)
      this.#current.set(part, this.#filled)
      this.#filled += part.length
      offset += part.length
      if (this.#filled === this.#current.length) await this.#cut()
    }
    this.payloadSize += bytes.length
  }

  /** Ends the payload. `dataLengths` is complete then. */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#cut()
    await this.#last
  }

  /** Behind the payload: these frames as index chunks, the last of them as the end chunk, and the footer. */
  async end(index: readonly Buffer[]): Promise<void> {
    const footer = { indexOffset: this.#sink.bytes, indexNumber: this.#chunks }
    for (const [number, frame] of index.entries()) {
      const kind = number === index.length - 1 ? END : INDEX
      await this.#sink.write(sealChunk(this.#key, kind, this.#chunks++, frame))
    }
    await this.#sink.write([encodeFooter(footer)])
  }

  /** Waits for what is on its way, whether it succeeds or not. */
  async settle(): Promise<void> {
    await this.#last.catch(() => undefined)
  }

  async #cut(): Promise<void> {
    const buffer = this.#current
    const slice = buffer.subarray(0, this.#filled)
    const content = this.#compression === 'none' ? slice : compressFrame(slice, this.#level)
    const before = this.#last
    this.#last = this.#seal(before, content, buffer)
    this.#last.catch(() => undefined) // thrown where it is awaited below, or by flush()
    this.#started.push(this.#last)
    if (this.#started.length > IN_FLIGHT) await this.#started.shift()
    this.#current = this.#free.pop() ?? Buffer.allocUnsafeSlow(buffer.length)
    this.#filled = 0
  }

  async #seal(before: Promise<void>, content: Buffer | Promise<Buffer>, buffer: Buffer): Promise<void> {
    const plaintext = await content
    await before
    const parts = sealChunk(this.#key, DATA, this.#chunks++, plaintext)
    this.#free.push(buffer)
    if (content !== plaintext) giveBack(plaintext)
    this.dataLengths.push((parts[1]?.length ?? 0) + TAG_SIZE)
    await this.#sink.write(parts)
  }
}
