import type { Writable } from 'node:stream'

/**
 * A Writable as a sequence of awaited writes: `write` returns once the write before it has gone through, so that there
 * is always one on its way. An error, a premature close or an abort rejects the call that waits, and each later one.
 */
export class Sink {
  /** Bytes handed to the stream. */
  bytes = 0
  readonly #out: Writable
  readonly #signal: AbortSignal | undefined
  #pending: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #wake: () => void = () => undefined

  constructor(out: Writable, signal?: AbortSignal) {
    this.#out = out
    this.#signal = signal
    out.on('error', this.#fail)
    out.on('close', this.#onClose)
    out.on('drain', this.#onDrain)
    out.on('finish', this.#onDrain)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  async write(parts: readonly Buffer[]): Promise<void> {
    await this.#pending
    this.#check()
    this.#out.cork()
    let room = true
    for (const part of parts) {
      this.bytes += part.length
      room = this.#out.write(part)
    }
    this.#out.uncork()
    if (room) return
    this.#pending = this.#until(() => !this.#out.writableNeedDrain)
    this.#pending.catch(() => undefined) // thrown by the next call
  }

  /** Ends the stream, and returns once everything has been handed on. */
  async end(): Promise<void> {
    await this.#pending
    this.#check()
    this.#out.end()
    await this.#until(() => this.#out.writableFinished)
    this.#detach()
  }

  /** Gives the stream up: nothing written so far may look complete. */
  destroy(): void {
    this.#detach()
    this.#out.on('error', () => undefined) // the failure was already thrown to whoever wrote
    this.#out.destroy()
    this.#wake() // whoever still waits finds it destroyed
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#check()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#signal?.throwIfAborted()
    if (this.#out.destroyed && !this.#out.writableFinished) {
      throw this.#out.errored ?? new Error('the output was closed before the archive was complete')
    }
  }

  #detach(): void {
    this.#out.off('error', this.#fail)
    this.#out.off('close', this.#onClose)
    this.#out.off('drain', this.#onDrain)
    this.#out.off('finish', this.#onDrain)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  readonly #fail = (error: Error): void => {
    this.#failure = error
    this.#wake()
  }
  readonly #onClose = (): void => this.#wake()
  readonly #onDrain = (): void => this.#wake()
  readonly #onAbort = (): void => this.#wake()
}
