import type { EnvFile } from './env-file.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

/** What the three readers of `proxy.env` do not read alike: one `attention` for each kind, naming keys and lines. */
export function checkOddities(env: EnvFile): MastioFinding[] {
  const { assignments, text } = env
  const count = (key: string): number => assignments.filter((one) => one.key === key).length
  const repeated = [...new Set(assignments.map(({ key }) => key))].filter((key) => count(key) > 1)
  const found: MastioFinding[] = []
  const report = (check: string, keys: readonly string[], what: string): void => {
    if (keys.length > 0) found.push(finding('attention', check, `${what}: ${keys.join(', ')}`))
  }
  report(
    'env-duplicate',
    repeated.map((key) => {
      const lines = assignments.filter((one) => one.key === key).map(({ line }) => line)
      return `${key} (lines ${lines.join(', ')})`
    }),
    'assigned more than once; the deploy scripts take the first, Compose the last',
  )
  const named = (holds: (one: EnvFile['assignments'][number]) => boolean): string[] => [
    ...new Set(assignments.filter(holds).map(({ key }) => key)),
  ]
  report(
    'env-quotes',
    named(({ raw }) => /["']/.test(raw)),
    'the value has quotes, which the deploy scripts keep and Compose and shell take away',
  )
  report(
    'env-dollar',
    named(({ raw }) => raw.includes('$')),
    'the value has a $, which Compose and shell expand and the deploy scripts do not',
  )
  report(
    'env-export',
    named(({ exported }) => exported),
    'written with export, which the deploy scripts do not see',
  )
  report(
    'env-form',
    named(({ plain, exported }) => !plain && !exported),
    'indented or with a space before =, which the deploy scripts do not see',
  )
  if (text.includes('\r\n')) {
    const detail = 'lines end in CRLF: shell and the deploy scripts keep the carriage return in the value'
    found.push(finding('attention', 'env-crlf', detail))
  }
  if (text.startsWith('\uFEFF') || text.startsWith('\u00EF\u00BB\u00BF')) {
    const detail = 'the file begins with a byte order mark: its first key is not read'
    found.push(finding('attention', 'env-bom', detail))
  }
  return found
}
