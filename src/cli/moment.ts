import { SealiftError } from '../errors.ts'

const date = String.raw`(\d{4}-\d\d-\d\d)`
const clock = String.raw`(\d\d:\d\d)(:\d\d)?(\.\d{1,9})?`
/** RFC 3339, with seconds left out or a space for the `T` as people write it. */
const zoned = new RegExp(`^${date}[Tt ]${clock}([Zz]|[+-]\\d\\d:\\d\\d)$`)
/** As `sealift list` shows times, in UTC. */
const shown = new RegExp(`^${date} ${clock}$`)
/** As the names of archives have it. */
const compact = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

const examples = 'write 2026-05-14T10:30:00Z, 2026-05-14T12:30:00+02:00, or 2026-05-14 10:30 for UTC'

/**
 * The moment that a person wrote: RFC 3339, `2026-05-14 10:30` in UTC, or `20260514T103000Z` as in a name. What could mean
 * two moments (a day alone, a `T` without a zone, 05/06/2026) is refused, as is a day that no calendar has: USAGE.
 * `option` is what the message names.
 */
export function parseMoment(text: string, option: string): Date {
  const wanted = text.trim()
  const refuse = (why: string): SealiftError =>
    new SealiftError('USAGE', { reason: `${option} ${JSON.stringify(text)}: ${why}; ${examples}` })
  const iso = isoOf(wanted)
  if (iso === undefined) throw refuse(whyNot(wanted))
  const moment = new Date(iso.text)
  // Node takes 30 February for 2 March: what is read must say the same again.
  const days = new Date(`${iso.day}T00:00:00Z`)
  if (Number.isNaN(moment.getTime()) || Number.isNaN(days.getTime())) throw refuse('there is no such time')
  if (days.toISOString().slice(0, 10) !== iso.day) throw refuse('there is no such day')
  return moment
}

function isoOf(text: string): { readonly text: string; readonly day: string } | undefined {
  const short = compact.exec(text)
  if (short !== null) {
    const [, year, month, day, hour, minute, second] = short
    return {
      text: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
      day: `${year}-${month}-${day}`,
    }
  }
  const [, day, minutes, seconds = ':00', fraction = '', zone = 'Z'] =
    zoned.exec(text) ?? shown.exec(text) ?? []
  if (day === undefined || minutes === undefined) return undefined
  return { text: `${day}T${minutes}${seconds}${fraction.slice(0, 4)}${zone.toUpperCase()}`, day }
}

function whyNot(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return 'a day alone is no moment'
  if (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d/.test(text)) return 'its zone is missing'
  return 'it is not understood'
}
