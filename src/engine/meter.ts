import type { Context } from './context.ts'
import type { Phase } from './events.ts'

const step = 1 << 20

/** Counts bytes and says so once per MiB: a reader of events is not flooded. `total` is a guess until the end. */
export class Meter {
  readonly #ctx: Context
  readonly #phase: Phase
  readonly #total: number | undefined
  #bytes = 0
  #said = 0

  constructor(ctx: Context, phase: Phase, label: string, total?: number) {
    this.#ctx = ctx
    this.#phase = phase
    this.#total = total
    ctx.emit({ type: 'phase', phase, label })
  }

  add(bytes: number): void {
    this.at(this.#bytes + bytes)
  }

  at(bytes: number): void {
    this.#bytes = bytes
    if (bytes - this.#said < step) return
    this.#said = bytes
    const total = this.#total === undefined ? {} : { total: this.#total }
    this.#ctx.emit({ type: 'progress', phase: this.#phase, bytes, ...total })
  }

  /** Passes content through and counts it. */
  async *count<Block extends Uint8Array>(content: AsyncIterable<Block>): AsyncIterable<Block> {
    for await (const block of content) {
      this.add(block.length)
      yield block
    }
  }
}
