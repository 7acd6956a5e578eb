const LINE_FEED = 0x0a

/**
 * Compares text that arrives in pieces with the text that is expected, without holding either. `differ` is called for
 * the first line that is not the same, with as much of it as is at hand, and throws.
 */
export class TextCheck {
  readonly #expected: Iterator<Buffer, void>
  readonly #differ: (expected: string, found: string) => Error
  #piece: Buffer = Buffer.alloc(0)
  #at = 0

  /** Each piece of `expected` begins with a line. */
  constructor(expected: Iterator<Buffer, void>, differ: (expected: string, found: string) => Error) {
    this.#expected = expected
    this.#differ = differ
  }

  push(found: Buffer): void {
    for (let offset = 0; offset < found.length;) {
      if (!this.#more()) throw this.#differ('', firstLine(found.subarray(offset)))
      const size = Math.min(found.length - offset, this.#piece.length - this.#at)
      const same = this.#piece
        .subarray(this.#at, this.#at + size)
        .equals(found.subarray(offset, offset + size))
      if (!same) throw this.#difference(found.subarray(offset, offset + size))
      offset += size
      this.#at += size
    }
  }

  /** To be called behind the last piece. */
  end(): void {
    if (this.#more()) throw this.#difference(Buffer.alloc(0))
  }

  #more(): boolean {
    while (this.#at === this.#piece.length) {
      const { value, done } = this.#expected.next()
      if (done === true) return false
      this.#piece = value
      this.#at = 0
    }
    return true
  }

  #difference(found: Buffer): Error {
    let same = 0
    while (same < found.length && found[same] === this.#piece[this.#at + same]) same++
    const at = this.#at + same
    const start = at === 0 ? 0 : this.#piece.lastIndexOf(LINE_FEED, at - 1) + 1
    const line = this.#piece.subarray(start, at)
    const rest = firstLine(found.subarray(same))
    return this.#differ(firstLine(this.#piece.subarray(start)), line.toString() + rest)
  }
}

function firstLine(text: Buffer): string {
  const end = text.indexOf(LINE_FEED)
  return text.subarray(0, end < 0 ? text.length : end).toString()
}
