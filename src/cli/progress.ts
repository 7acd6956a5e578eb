import type { Event, Phase } from '../engine/events.ts'
import { duration, size } from './quantity.ts'
import type { Output } from './world.ts'

const eraseLine = '\r\u001B[K'
const redrawAfterMs = 100
const rateWindowMs = 5000

/** What the line shows; all of it is in the events. */
export interface Moment {
  readonly label: string
  readonly bytes: number
  readonly total?: number
  /** Bytes a second over the last few seconds; 0 while it is not known. */
  readonly rate: number
}

/** One line of at most `width` columns. The label gives way before a number does. */
export function progressLine(moment: Moment, width: number): string {
  const { bytes, total, rate } = moment
  const parts: string[] = []
  if (bytes > 0 || total !== undefined) {
    parts.push(total === undefined ? size(bytes) : `${size(bytes)} of ${size(total)}`)
  }
  if (total !== undefined && total > 0) parts.push(`${Math.min(100, Math.floor((bytes / total) * 100))} %`)
  if (rate > 0) parts.push(`${size(Math.round(rate))}/s`)
  if (rate > 0 && total !== undefined && total > bytes) parts.push(`${duration((total - bytes) / rate)} left`)
  const numbers = parts.join('  ')
  const room = width - (numbers === '' ? 0 : numbers.length + 2)
  const label = moment.label.length > room ? `${moment.label.slice(0, Math.max(0, room - 1))}…` : moment.label
  return (numbers === '' ? label : `${label}  ${numbers}`).slice(0, width)
}

/** The progress line on a terminal. It is drawn at most ten times a second and leaves nothing behind. */
export class Progress {
  readonly #output: Output
  readonly #nowMs: () => number
  #label = ''
  #phase: Phase | undefined
  #samples: { at: number; bytes: number }[] = []
  #drawnAt = -Infinity
  #shown = false

  constructor(output: Output, nowMs: () => number) {
    this.#output = output
    this.#nowMs = nowMs
  }

  show(event: Event): void {
    if (event.type === 'phase') {
      this.#begin(event.phase, event.label)
      this.#draw({ label: this.#label, bytes: 0, rate: 0 }, true)
    } else if (event.type === 'progress') {
      if (event.phase !== this.#phase) this.#begin(event.phase, event.phase)
      const { bytes, total } = event
      const rate = this.#sample(bytes)
      this.#draw(
        { label: this.#label, bytes, rate, ...(total === undefined ? {} : { total }) },
        bytes === total,
      )
    }
  }

  /** Takes the line away: before other text is written to the same terminal, and at the end. */
  clear(): void {
    if (this.#shown) this.#output.write(eraseLine)
    this.#shown = false
    this.#drawnAt = -Infinity
  }

  #begin(phase: Phase, label: string): void {
    this.#phase = phase
    this.#label = label
    this.#samples = []
  }

  #sample(bytes: number): number {
    const at = this.#nowMs()
    this.#samples.push({ at, bytes })
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > rateWindowMs) this.#samples.shift()
    const first = this.#samples[0]
    // Under half a second of history a rate jumps about and says nothing.
    if (first === undefined || at - first.at < 500) return 0
    return Math.max(0, ((bytes - first.bytes) / (at - first.at)) * 1000)
  }

  #draw(moment: Moment, now: boolean): void {
    const at = this.#nowMs()
    if (!now && at - this.#drawnAt < redrawAfterMs) return
    this.#drawnAt = at
    this.#shown = true
    // The last column stays free: a terminal that wraps there would keep half of the line.
    const width = Math.min(this.#output.columns ?? 80, 80) - 1
    this.#output.write(`${eraseLine}${progressLine(moment, width)}`)
  }
}
