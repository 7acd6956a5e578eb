import { readdirSync, readFileSync } from 'node:fs'

const everyMs = 20

/**
 * The peak resident memory of a process and all it starts, in bytes: the sum of each one's own peak (VmHWM), which is
 * never less than the peak of their sum. What a process adds in its last 20 ms is not seen.
 */
export class TreePeak implements Disposable {
  readonly #peaks = new Map<number, number>()
  readonly #root: number
  readonly #timer: NodeJS.Timeout

  constructor(root: number) {
    this.#root = root
    this.#timer = setInterval(() => this.#look(), everyMs)
  }

  get bytes(): number {
    return [...this.#peaks.values()].reduce((sum, peak) => sum + peak, 0)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const waiting = [this.#root]
    for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
      const peak = /^VmHWM:\s+(\d+) kB/m.exec(told(`/proc/${pid}/status`))?.[1]
      if (peak !== undefined) this.#peaks.set(pid, Number(peak) * 1024)
      waiting.push(...childrenOf(pid))
    }
  }
}

/** A process that a thread started is a child of that thread. */
function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.map((thread) => told(`/proc/${pid}/task/${thread}/children`))
    return children.join(' ').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** What the system says of a process; nothing where it has ended. */
function told(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
