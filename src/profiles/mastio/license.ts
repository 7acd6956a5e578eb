import type { EnvFile } from './env-file.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

export const licenseKey = 'CULLIS_LICENSE_KEY'
/**
 * What stands in place of a license. The vendor's form has angle brackets, a bash syntax error when the enterprise
 * `deploy.sh` sources the file (rc 2, even for `--down`): it is recognised, and never written.
 */
export const licensePlaceholder = 'REDACTED-RECOVER-FROM-CULLIS-SECURITY'
const anyPlaceholder = /<?REDACTED-RECOVER-FROM-CULLIS-SECURITY>?/
export const tokenShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** What an archive says of the license. */
export type LicenseState = 'absent' | 'redacted' | 'kept'

/** An assignment in any dress: indented, exported, commented, with another prefix, `=` or `:`; the value follows. */
const dressed = /[A-Za-z0-9_]*CULLIS_LICENSE_KEY(?![A-Za-z0-9_])[ \t]*([=:])/g
/** Shorter values are no tokens, and taking every copy of them away would hurt other lines. */
const shortestCopy = 8

/**
 * Takes the license out of a `proxy.env`: every assignment, also indented, exported, commented or quoted, and every
 * other copy of the same value. No byte of it is left; every other line stays as it was. (The vendor's own
 * `^(CULLIS_LICENSE_KEY=).*` leaks the indented, the exported and the commented one, measured.)
 */
export function redactLicense(text: string): { text: string; state: 'absent' | 'redacted' } {
  const values = new Set<string>()
  let seen = false
  let redacted = ''
  let from = 0
  for (const match of text.matchAll(dressed)) {
    const start = match.index + match[0].length
    const { end, value } = isAssignment(text, match.index) ? lineValue(text, start) : inlineValue(text, start)
    if (start < from || value === '' || (match[1] === ':' && !isToken(value.split(/\s/)[0] ?? ''))) continue
    seen = true
    redacted += text.slice(from, start) + licensePlaceholder
    from = end
    values.add(value)
    for (const piece of value.split(/\s+/)) if (isToken(piece)) values.add(piece)
  }
  redacted += text.slice(from)
  for (const value of [...values].toSorted((a, b) => b.length - a.length)) {
    if (value.length >= shortestCopy && !licensePlaceholder.includes(value)) {
      redacted = redacted.replaceAll(value, licensePlaceholder)
    }
  }
  return { text: redacted, state: seen ? 'redacted' : 'absent' }
}

/** Long enough for a token of three parts, so that no word of a comment and no host name is taken for one. */
function isToken(text: string): boolean {
  return text.length >= 40 && tokenShape.test(text)
}

/** The text with the vendor's bracketed placeholder turned into the one that shell can read. */
export function convertPlaceholder(text: string): string {
  return text.replaceAll(`<${licensePlaceholder}>`, licensePlaceholder)
}

/** The license as Compose reads it, or the state in which it is. */
export function readLicense(env: EnvFile): { state: 'absent' | 'redacted' | 'present'; value: string } {
  const values = env.assignments.filter(({ key }) => key === licenseKey).map(({ value }) => value)
  const value = values.at(-1) ?? ''
  if (values.some((one) => anyPlaceholder.test(one))) return { state: 'redacted', value: '' }
  return value === '' ? { state: 'absent', value } : { state: 'present', value }
}

/**
 * What is wrong with the license: a placeholder blocks "ready to deploy" (`fail`), another shape than three parts and
 * a token issued more than 90 days before the backup are `attention`.
 */
export function checkLicense(env: EnvFile, backupAt: Date): MastioFinding[] {
  const { state, value } = readLicense(env)
  if (state === 'absent') return []
  if (state === 'redacted') {
    const detail = `${licenseKey} is the placeholder of a backup: get the license again and put it in`
    return [finding('fail', 'license-redacted', detail)]
  }
  if (!tokenShape.test(value)) {
    return [finding('attention', 'license-shape', `${licenseKey} is not a token of three parts`)]
  }
  const issued = issuedAt(value)
  if (issued === undefined || backupAt.getTime() - issued.getTime() <= 90 * 86_400_000) return []
  const day = issued.toISOString().slice(0, 10)
  return [finding('attention', 'license-old', `${licenseKey} was issued on ${day}: ask for a fresh one`)]
}

/** The `iat` of a JWT; `undefined` where it has none. */
export function issuedAt(token: string): Date | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    if (typeof payload !== 'object' || payload === null || !('iat' in payload)) return undefined
    const date = new Date(Number(payload.iat) * 1000)
    return Number.isNaN(date.getTime()) ? undefined : date
  } catch {
    // Not a JWT: the shape check says so.
    return undefined
  }
}

/** True if nothing but a comment sign, `export` and white space stands before the name on its line. */
function isAssignment(text: string, name: number): boolean {
  return /^[ \t#]*(export[ \t]+)?$/.test(text.slice(text.lastIndexOf('\n', name - 1) + 1, name))
}

/** The value of a name that stands somewhere in a line, as in a command: one word, or what is between quotes. */
function inlineValue(text: string, start: number): { end: number; value: string } {
  const written = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s"';&|`)]*)/.exec(text.slice(start))?.[0] ?? ''
  return { end: start + written.length, value: written.replaceAll(/["']/g, '') }
}

/** Where the value of an assignment that begins at `start` ends, and what it is without its quotes and line joints. */
function lineValue(text: string, start: number): { end: number; value: string } {
  const stop = (from: number): number => {
    const at = text.indexOf('\n', from)
    return at === -1 ? text.length : at
  }
  let end = stop(start)
  const head = text.slice(start, end)
  const quote = /^[ \t]*(["'])/.exec(head)?.[1]
  if (quote !== undefined && !head.trim().slice(1).includes(quote)) {
    // Not closed on its line: further lines belong to it as long as they hold nothing but a token's characters.
    while (end < text.length && /^[A-Za-z0-9_.\-\s]*["']?\s*$/.test(text.slice(end + 1, stop(end + 1)))) {
      const line = text.slice(end + 1, stop(end + 1))
      end = stop(end + 1)
      if (line.includes(quote)) break
    }
  }
  while (end < text.length && /\\\r?$/.test(text.slice(start, end))) end = stop(end + 1)
  if (text[end - 1] === '\r' && end > start) end -= 1
  const written = text.slice(start, end)
  return {
    end,
    value: written
      .replaceAll(/\\\r?\n[ \t]*|["']|\r/g, '')
      .replace(/\s#.*$/s, '')
      .trim(),
  }
}
