/** Seconds by phase, one after the other. */
export class PhaseClock<Phase extends string> {
  readonly #now: () => Date
  readonly #seconds = new Map<Phase, number>()
  #since: number
  #phase: Phase | undefined

  constructor(now: () => Date) {
    this.#now = now
    this.#since = now().getTime()
  }

  /** Ends the phase that runs, and begins another. A phase that was there before goes on. */
  begin(phase: Phase): void {
    this.stop()
    this.#phase = phase
  }

  /** Ends the phase that runs: what comes now is not counted. */
  stop(): void {
    const now = this.#now().getTime()
    // A clock that is set back takes nothing away.
    const passed = Math.max(0, now - this.#since) / 1000
    if (this.#phase !== undefined)
      this.#seconds.set(this.#phase, (this.#seconds.get(this.#phase) ?? 0) + passed)
    this.#phase = undefined
    this.#since = now
  }

  /** What was counted; phases that never began are not in it. */
  get phases(): Partial<Record<Phase, number>> {
    return Object.fromEntries([...this.#seconds].map(([phase, s]) => [phase, rounded(s)])) as Partial<
      Record<Phase, number>
    >
  }

  get seconds(): number {
    return rounded([...this.#seconds.values()].reduce((sum, each) => sum + each, 0))
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
