import { Readable } from 'node:stream'

/**
 * Bytes of a stream, taken in the amounts that a format asks for. Copies only what lies across two pieces of the
 * source. An aborted `signal` ends the next read, and destroys a Readable at once, so that a stalled one ends too.
 */
export class ByteReader implements AsyncDisposable {
  /** How many bytes have been taken. */
  position = 0
  readonly #source: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  readonly #abort: () => void
  readonly #stream: Readable | undefined
  readonly #parts: Buffer[] = []
  #buffered = 0
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]()
    this.#signal = signal
    // Whoever reads hears of an error; one that comes before the first read must not end the process.
    this.#stream = source instanceof Readable ? source.on('error', () => undefined) : undefined
    this.#abort = () => {
      this.#stream?.destroy(signal?.reason as Error)
    }
    signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Exactly `size` bytes, fewer only at the end of the source. */
  async read(size: number): Promise<Buffer> {
    while (this.#buffered < size && !this.#ended) await this.#fill()
    const first = this.#parts[0]
    if (first !== undefined && first.length >= size) return this.#from(first, size)
    const length = Math.min(size, this.#buffered)
    const whole = Buffer.allocUnsafe(length)
    for (let filled = 0; filled < length;) {
      const part = this.#front(length - filled)
      part.copy(whole, filled)
      filled += part.length
    }
    return whole
  }

  /** Between 1 and `limit` bytes, whatever is there first; an empty buffer at the end of the source. */
  async some(limit: number): Promise<Buffer> {
    while (this.#buffered === 0 && !this.#ended) await this.#fill()
    return this.#front(limit)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort)
    if (!this.#ended) await this.#source.return?.()
    // An iterator that was never asked for anything does not close its stream.
    this.#stream?.destroy()
    this.#ended = true
  }

  #front(limit: number): Buffer {
    const first = this.#parts[0]
    return first === undefined ? Buffer.alloc(0) : this.#from(first, Math.min(limit, first.length))
  }

  #from(first: Buffer, size: number): Buffer {
    if (size === first.length) this.#parts.shift()
    else this.#parts[0] = first.subarray(size)
    this.#buffered -= size
    this.position += size
    return first.subarray(0, size)
  }

  async #fill(): Promise<void> {
    this.#signal?.throwIfAborted()
    const { value, done } = await this.#source.next()
    this.#signal?.throwIfAborted()
    if (done === true) {
      this.#ended = true
      this.#signal?.removeEventListener('abort', this.#abort)
    } else if (value.length > 0) {
      this.#parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      this.#buffered += value.length
    }
  }
}
