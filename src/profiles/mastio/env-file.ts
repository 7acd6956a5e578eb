import { SealiftError } from '../../errors.ts'

/**
 * `proxy.env` as text. Three programs read this file, each in its own way: the deploy scripts take the first line that
 * begins with `KEY=`, Compose the last assignment, and the enterprise script runs it as shell. Whoever wants the file
 * back byte for byte decodes and encodes it as latin1.
 */
export interface EnvFile {
  readonly text: string
  readonly assignments: readonly Assignment[]
}

/** One active assignment. `start` and `end` are the offsets of the value in the text, with its quotes. */
export interface Assignment {
  readonly key: string
  /** Counted from 1. */
  readonly line: number
  readonly start: number
  readonly end: number
  readonly raw: string
  /** As Compose reads it, `$` not expanded: without quotes, without a comment behind it. */
  readonly value: string
  readonly exported: boolean
  /** It is exactly `KEY=` at the start of its line: the deploy scripts see no other form. */
  readonly plain: boolean
}

const assignment = /^([ \t]*)(export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)([ \t]*)=/

/** Reads every active assignment, in order; a quoted value may go over several lines, as in Compose and shell. */
export function readEnv(text: string): EnvFile {
  const assignments: Assignment[] = []
  let line = 1
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at)
    const match = assignment.exec(text.slice(at, end))
    let next = end
    if (match !== null) {
      const [whole, indent = '', exported, key = '', space = ''] = match
      const start = at + whole.length
      const value = valueAt(text, start, end)
      assignments.push({
        key,
        line,
        start,
        end: value.end,
        raw: text.slice(start, value.end),
        value: value.text,
        exported: exported !== undefined,
        plain: indent === '' && exported === undefined && space === '',
      })
      next = lineEnd(text, value.end)
    }
    line += text.slice(at, next + 1).split('\n').length - 1
    at = next + 1
  }
  return { text, assignments }
}

/** What Compose takes: the last assignment. `undefined` if the key is not there. */
export function valueOf(env: EnvFile, key: string): string | undefined {
  return env.assignments.findLast((one) => one.key === key)?.value
}

/** What the deploy scripts take: the rest of the first line that begins with `KEY=`, quotes and all. */
export function firstValueOf(env: EnvFile, key: string): string | undefined {
  const match = new RegExp(`^${key}=(.*?)\\r?$`, 'm').exec(env.text)
  return match?.[1]
}

/** Names of the variables that have a value, sorted: a fact that holds no secret. */
export function nonEmptyNames(env: EnvFile): string[] {
  const names = new Set(env.assignments.map(({ key }) => key))
  return [...names].filter((key) => (valueOf(env, key) ?? '') !== '').toSorted()
}

/** Keys that Compose would read differently from the two files, sorted. Never a value. */
export function differingKeys(a: EnvFile, b: EnvFile): string[] {
  const names = new Set([...a.assignments, ...b.assignments].map(({ key }) => key))
  return [...names].filter((key) => valueOf(a, key) !== valueOf(b, key)).toSorted()
}

/** Characters that mean the same to Compose, to shell and to the deploy scripts without quotes. */
const safeValue = /^[A-Za-z0-9_./:@%+,=[\]~-]*$/

/**
 * The text with `key` set in every active assignment, so that all three readers see the new value, or in a new last
 * line where there is none. All else stays byte for byte. Throws USAGE for a value that would need quotes.
 */
export function withKey(text: string, key: string, value: string): string {
  if (!safeValue.test(value)) {
    throw new SealiftError('USAGE', { reason: `the new value of ${key} has characters that need quotes` })
  }
  const places = readEnv(text).assignments.filter((one) => one.key === key)
  if (places.length === 0) {
    const newline = text.includes('\r\n') ? '\r\n' : '\n'
    const gap = text === '' || text.endsWith('\n') ? '' : newline
    return `${text}${gap}${key}=${value}${newline}`
  }
  return places
    .toReversed()
    .reduce((changed, { start, end }) => changed.slice(0, start) + value + changed.slice(end), text)
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** The value that begins at `start` on a line that ends at `end`; `end` of the answer may lie on a later line. */
function valueAt(text: string, start: number, end: number): { text: string; end: number } {
  const rest = text.slice(start, end)
  const lead = rest.length - rest.trimStart().length
  const quote = rest[lead]
  if (quote === '"' || quote === "'") {
    const open = start + lead
    const close = closingQuote(text, open, quote)
    if (close !== -1) {
      const inside = text.slice(open + 1, close)
      return { text: quote === '"' ? unescape(inside) : inside, end: close + 1 }
    }
  }
  const bare = rest.replace(/(^|[ \t])#.*$/s, '').trimEnd()
  return { text: bare.trimStart(), end: start + bare.length }
}

function closingQuote(text: string, open: number, quote: string): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\' && quote === '"') at += 1
    else if (text[at] === quote) return at
  }
  return -1
}

function unescape(text: string): string {
  return text.replaceAll(/\\([nrt"\\$])/g, (_, letter: string) => {
    const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t' }
    return controls[letter] ?? letter
  })
}
