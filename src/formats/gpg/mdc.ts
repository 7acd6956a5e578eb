import { createHash } from 'node:crypto'

/** The modification detection packet: a header of two bytes, which the hash covers, and 20 bytes of SHA-1 (RFC 9580 §5.13.1). */
export const MDC_HEADER = Buffer.from([0xd3, 0x14])
const MDC_SIZE = 22

/**
 * The SHA-1 over a message: its prefix, its packets and the header of the code itself. On reading, the last 22 bytes
 * are held back until it is known that they are the last.
 */
export class ModificationDetection {
  readonly #hash = createHash('sha1')
  #held: Buffer = Buffer.alloc(0)

  constructor(prefix: Buffer) {
    this.#hash.update(prefix)
  }

  /** For a writer: a piece of the packets. */
  add(piece: Buffer): void {
    this.#hash.update(piece)
  }

  /** For a writer, at the end: the packet that closes the message. */
  packet(): Buffer {
    return Buffer.concat([MDC_HEADER, this.#hash.update(MDC_HEADER).digest()])
  }

  /** For a reader: takes a piece of what was decrypted, and gives what certainly stands before the code. */
  release(piece: Buffer): Buffer[] {
    const pieces = piece.length < MDC_SIZE ? [Buffer.concat([this.#held, piece])] : [this.#held, piece]
    const last = pieces.pop() ?? piece
    const end = Math.max(0, last.length - MDC_SIZE)
    this.#held = last.subarray(end)
    const ready = [...pieces, last.subarray(0, end)].filter(({ length }) => length > 0)
    for (const part of ready) this.#hash.update(part)
    return ready
  }

  /** For a reader, at the end: whether what is held back is the code of all that was released. */
  holds(): boolean {
    return this.#held.equals(this.packet())
  }
}
