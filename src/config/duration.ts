import { z } from 'zod'

const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

const pattern = /^[1-9]\d{0,5}[smhdw]$/

/** A time as people write it: `24h`, `15m`, `92d`. */
export function durationText(fallback: string, what: string) {
  return text().default(fallback).describe(what)
}

/** The same for a key that may be absent. */
export function optionalDuration(what: string) {
  return text().optional().describe(what)
}

function text() {
  const mistake = 'is no time: write a number above 0 and s, m, h, d or w, as in `24h`'
  return z.string().regex(pattern, mistake)
}

/** What a text stands for, in seconds; `undefined` for one that is no such time. */
export function readDuration(given: string): number | undefined {
  return pattern.test(given) ? secondsOf(given) : undefined
}

/** What such a text stands for, in seconds. */
export function secondsOf(text: string): number {
  const unit = text.at(-1) as keyof typeof seconds
  return Number(text.slice(0, -1)) * seconds[unit]
}
