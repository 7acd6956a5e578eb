import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** The demo application while it runs: the process that writes notes. Disposing it ends it and waits for that. */
export class Application implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #ended: Promise<unknown>
  #first = 0
  #committed = 0
  #count = 0
  #line = ''
  #failure: Error | undefined

  constructor(database: string) {
    const writer = path.join(import.meta.dirname, 'writer.ts')
    this.#process = spawn(process.execPath, [writer, database], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process.stdin.on('error', () => undefined) // it has ended, which `#ended` tells
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.#ended = once(this.#process, 'close')
      .then(() => (this.#failure ??= new Error('the application has ended')))
      .catch((error: Error) => (this.#failure = error))
  }

  /** The first note that it committed. */
  get first(): number {
    return this.#first
  }

  /** The last note that is known to be committed; there may be more by now. */
  get committed(): number {
    return this.#committed
  }

  /** Waits until `count` more notes are committed. */
  async commits(count: number, signal: AbortSignal): Promise<void> {
    const wanted = this.#count + count
    while (this.#count < wanted) {
      if (this.#failure !== undefined) throw this.#failure
      await Promise.race([once(this.#process.stdout, 'data', { signal }), this.#ended])
    }
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end()
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await this.#ended
    clearTimeout(late)
  }

  #read(text: string): void {
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    this.#count += lines.length
    this.#committed = Number(lines.at(-1) ?? this.#committed)
    if (this.#first === 0) this.#first = Number(lines[0] ?? 0)
  }
}
