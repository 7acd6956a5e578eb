/**
 * Times of members. In memory they are milliseconds with a fraction; in the archive they are whole microseconds, as
 * pax `mtime` records and as RFC 3339. A double holds microseconds until 2109; later times keep whole milliseconds.
 */
const EXACT_MICROS = 2 ** 42
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59Z')

interface Instant {
  /** Whole seconds since 1970, rounded down. */
  readonly seconds: number
  /** 0 to 999,999. */
  readonly micros: number
}

function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1000)
  const rest = ms - seconds * 1000
  const micros = Math.abs(ms) < EXACT_MICROS ? Math.round(rest * 1000) : Math.round(rest) * 1000
  return micros >= 1_000_000 ? { seconds: seconds + 1, micros: micros - 1_000_000 } : { seconds, micros }
}

/** Whether the time lies in the years 0 to 9999, which is what RFC 3339 can say. */
export const timeFits = (ms: number): boolean => ms >= FIRST_MS && ms <= LAST_MS

const fractionOf = (micros: number): string =>
  micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`

/** RFC 3339 in UTC with up to 6 digits of fraction, without trailing zeros. */
export function formatTime(ms: number): string {
  const { seconds, micros } = instantOf(ms)
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fractionOf(micros)}Z`
}

/** The time in milliseconds; undefined where the text is not what `formatTime` gives. */
export function parseTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z$/.exec(text)
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}Z`) + micros(match[2]) / 1000
  return !Number.isNaN(ms) && formatTime(ms) === text ? ms : undefined
}

/** Seconds for a tar header; `exact` where they say everything, and no pax record is needed. */
export function tarTime(ms: number): { seconds: number; exact: boolean } {
  const { seconds, micros } = instantOf(ms)
  return { seconds, exact: micros === 0 }
}

/** Decimal seconds, the value of a pax `mtime` record. Below zero the fraction counts downwards from the integer. */
export function formatPaxTime(ms: number): string {
  const { seconds, micros } = instantOf(ms)
  if (seconds >= 0 || micros === 0) return `${seconds}${fractionOf(micros)}`
  const whole = seconds + 1
  return `${whole === 0 ? '-0' : whole}${fractionOf(1_000_000 - micros)}`
}

/** Milliseconds of a pax time; digits beyond the microsecond are dropped. Undefined where the text is no number. */
export function parsePaxTime(text: string): number | undefined {
  const match = /^(-?)(\d{1,13})(\.\d*)?$/.exec(text)
  if (match === null) return undefined
  const ms = Number(match[2]) * 1000 + micros(match[3]?.slice(0, 7)) / 1000
  return match[1] === '-' ? -ms : ms
}

const micros = (fraction: string | undefined): number => Number((fraction ?? '').slice(1).padEnd(6, '0'))
