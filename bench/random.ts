import { createCipheriv } from 'node:crypto'
import type { Cipheriv } from 'node:crypto'

const poolSize = 1 << 20

/** The same bytes for the same seed, on every machine: AES-256-CTR over zeros. */
export class Random {
  readonly #cipher: Cipheriv
  readonly #zeros = Buffer.alloc(poolSize)
  #pool = Buffer.alloc(0)
  #used = 0

  constructor(seed: number) {
    const key = Buffer.alloc(32)
    key.writeUInt32LE(seed)
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  }

  /** The next `size` bytes, at most 1 MiB; they stand until the next call. */
  bytes(size: number): Buffer {
    if (this.#used + size > this.#pool.length) {
      this.#pool = this.#cipher.update(this.#zeros)
      this.#used = 0
    }
    this.#used += size
    return this.#pool.subarray(this.#used - size, this.#used)
  }

  /** A whole number from 0 to `below` - 1. */
  number(below: number): number {
    return this.bytes(4).readUInt32LE() % below
  }
}
