import { z } from 'zod'

const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

/** A time as people write it: `24h`, `15m`, `92d`. */
export function durationText(fallback: string, what: string) {
  return z
    .string()
    .regex(/^[1-9]\d{0,5}[smhdw]$/, 'is no time: write a number above 0 and s, m, h, d or w, as in `24h`')
    .default(fallback)
    .describe(what)
}

/** What such a text stands for, in seconds. */
export function secondsOf(text: string): number {
  const unit = text.at(-1) as keyof typeof seconds
  return Number(text.slice(0, -1)) * seconds[unit]
}
