import { NotJson } from './cells.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Deeper than any data, and far from what a parser's memory or stack bears. */
const DEEPEST = 1000

/**
 * JSON of any length that comes in pieces, taken value by value. The caller walks the outer structure with `next` and
 * `take`, and gets each inner value whole by `value`, of at most `limit` bytes. Throws NotJson. The pieces are closed
 * by whoever gave them.
 */
export class JsonReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #limit: number
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #buffer = Buffer.alloc(0)
  #at = 0
  #ended = false

  constructor(pieces: AsyncIterable<Uint8Array>, limit: number) {
    this.#pieces = pieces[Symbol.asyncIterator]()
    this.#limit = limit
  }

  /** The next character that is no white space, not taken; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const byte = this.#buffer[this.#at]
      if (byte === undefined) {
        if (!(await this.#fill())) return undefined
      } else if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) this.#at++
      else return String.fromCharCode(byte)
    }
  }

  /** Takes this character, or throws. */
  async take(character: string): Promise<void> {
    if ((await this.next()) !== character) throw new NotJson(`a ${character} is missing`)
    this.#at++
  }

  /** The text of the next value. Only where it ends is known of it: what is inside has not been parsed. */
  async value(): Promise<string> {
    const first = await this.next()
    if (first === undefined) throw new NotJson('it ends too early')
    const size = await this.#size(first)
    const bytes = this.#buffer.subarray(this.#at, this.#at + size)
    this.#at += size
    try {
      return this.#decoder.decode(bytes)
    } catch {
      throw new NotJson('it has text that is not UTF-8')
    }
  }

  /** How many bytes the next value has, all of them in the buffer. */
  async #size(first: string): Promise<number> {
    const nested = first === '{' || first === '['
    const plain = !nested && first !== '"'
    let depth = 0
    let inString = false
    let size = 0
    for (;;) {
      if (size > this.#limit) throw new NotJson(`it has a value of more than ${this.#limit} bytes`)
      if (inString) {
        const quote = this.#buffer.indexOf(QUOTE, this.#at + size)
        size = (quote < 0 ? this.#buffer.length : quote + 1) - this.#at
        if (quote < 0) {
          if (await this.#fill()) continue
          throw new NotJson('it ends too early')
        }
        // An escaped quote does not end the string; the one that begins it ends this count.
        let slashes = 0
        while (this.#buffer[quote - 1 - slashes] === BACKSLASH) slashes++
        if (slashes % 2 === 1) continue
        inString = false
        if (depth === 0) return size
        continue
      }
      const byte = this.#buffer[this.#at + size]
      if (byte === undefined) {
        if (await this.#fill()) continue
        if (plain && size > 0) return size
        throw new NotJson('it ends too early')
      }
      if (plain) {
        if (!isPlain(byte)) {
          if (size > 0) return size
          throw new NotJson('a value is missing')
        }
      } else if (byte === QUOTE) inString = true
      else if (byte === 0x7b || byte === 0x5b) {
        if (++depth > DEEPEST) throw new NotJson(`it has a value nested more than ${DEEPEST} deep`)
      } else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return size + 1
      size++
    }
  }

  /** As much again as is held, so that a long value is not copied once for each piece. */
  async #fill(): Promise<boolean> {
    if (this.#ended) return false
    const parts: Uint8Array[] = [this.#buffer.subarray(this.#at)]
    const held = parts[0]?.length ?? 0
    let more = 0
    while (more === 0 || more < held) {
      const { value, done } = await this.#pieces.next()
      if (done === true) {
        this.#ended = true
        break
      }
      parts.push(value)
      more += value.length
    }
    this.#buffer = Buffer.concat(parts)
    this.#at = 0
    return more > 0
  }
}

/** Letters, digits, sign and dot: what `true`, `null` and numbers are made of. */
function isPlain(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x45
  )
}
