/** One part of a run, and how long it took. */
export interface Lap {
  readonly step: string
  readonly seconds: number
}

/** Times the parts of a run, one after the other, by the clock it is given. */
export class Stopwatch {
  readonly #now: () => Date
  readonly #laps: Lap[] = []
  #since: number

  constructor(now: () => Date) {
    this.#now = now
    this.#since = now().getTime()
  }

  /** Ends the part that is running: it began where the one before ended. */
  lap(step: string): void {
    const at = this.#now().getTime()
    this.#laps.push({ step, seconds: (at - this.#since) / 1000 })
    this.#since = at
  }

  get laps(): readonly Lap[] {
    return this.#laps
  }
}
