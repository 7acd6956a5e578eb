import { Writable } from 'node:stream'
import { systemCode } from '../errors.ts'
import type { Output } from './world.ts'

/**
 * Writes text to standard output or standard error and survives their end: once the reader has gone (`| head`) nothing
 * more is written and nothing is thrown. `failure` keeps what went wrong, so that a full disk is not taken for success.
 */
export class Printer {
  readonly output: Output
  failure: Error | undefined
  #whenGone: (() => void) | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(output: Output) {
    this.output = output
    output.on('error', (error: Error) => this.#fail(error))
  }

  /** Whether the reader closed its end, as `head` does: no fault of anyone. */
  get readerGone(): boolean {
    const code = systemCode(this.failure)
    return code === 'EPIPE' || code === 'ECONNRESET'
  }

  /** What to do once the reader has gone; at once if it has. */
  whenGone(act: () => void): void {
    this.#whenGone = act
    if (this.readerGone) act()
  }

  print(text: string): void {
    if (this.failure !== undefined || text === '') return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    this.output.write(text, (error) => {
      if (error) this.#fail(error)
      resolve()
    })
  }

  /** Something to wait for where the reader is slow, so that what is printed does not pile up here. */
  room(): Promise<void> | undefined {
    return this.output.writableNeedDrain ? this.#last : undefined
  }

  /** Returns when all that was printed has gone to the system, or cannot. */
  async flush(): Promise<void> {
    await this.#last
  }

  /**
   * A way for bytes to the same place. It is not the stream itself, because a pipeline destroys what it writes to when
   * its source fails, and standard output is not its to destroy.
   */
  data(): Writable {
    return new Writable({
      write: (chunk: Uint8Array, _encoding, done) => void this.output.write(chunk, (error) => done(error)),
    })
  }

  #fail(error: Error): void {
    this.failure ??= error
    if (this.readerGone) this.#whenGone?.()
  }
}
