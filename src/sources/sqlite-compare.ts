import type { ManifestSource } from '../manifest.ts'
import type { Finding } from './source.ts'
import type { SqliteExam } from './sqlite-report.ts'

/** How an examined database differs from what a manifest says of it: one sentence for each difference. */
export function differences(recorded: ManifestSource, exam: SqliteExam): string[] {
  return [...schemaDifferences(recorded, exam), ...rowDifferences(recorded.rows, exam)]
}

/** The findings of a check on a restored database. An archive of another program has nothing recorded to compare with. */
export function findings(recorded: ManifestSource, exam: SqliteExam): Finding[] {
  const schema = schemaDifferences(recorded, exam)
  const rows = rowDifferences(recorded.rows, exam)
  const tables = Object.keys(recorded.rows ?? {}).length
  return [
    exam.unchecked === undefined
      ? finding('integrity', exam.problems, 'integrity_check is ok')
      : { check: 'integrity', verdict: 'attention', detail: `could not be checked: ${exam.unchecked}` },
    ...('schema_sha256' in recorded.facts
      ? [finding('schema', schema, 'schema and user_version as recorded')]
      : []),
    ...(recorded.rows === undefined
      ? []
      : [finding('rows', rows, `row counts of ${tables} ${tables === 1 ? 'table' : 'tables'} as recorded`)]),
  ]
}

function finding(check: string, wrong: readonly string[], right: string): Finding {
  return wrong.length === 0
    ? { check, verdict: 'ok', detail: right }
    : { check, verdict: 'fail', detail: wrong.join('; ') }
}

function schemaDifferences(recorded: ManifestSource, exam: SqliteExam): string[] {
  const different = (fact: string): boolean =>
    fact in recorded.facts && recorded.facts[fact] !== exam.facts[fact]
  return [
    ...(different('schema_sha256') ? ['the schema differs'] : []),
    ...(different('user_version')
      ? [
          `user_version ${JSON.stringify(recorded.facts['user_version'])} → ${JSON.stringify(exam.facts['user_version'])}`,
        ]
      : []),
  ]
}

function rowDifferences(recorded: ManifestSource['rows'], exam: SqliteExam): string[] {
  if (recorded === undefined) return []
  const tables = new Set([...Object.keys(recorded), ...Object.keys(exam.rows)])
  const rows = (of: Readonly<Record<string, number>>, table: string): number | undefined =>
    Object.hasOwn(of, table) ? of[table] : undefined
  return [...tables].sort().flatMap((table) => {
    // A table that cannot be counted here says nothing about its rows.
    if (Object.hasOwn(exam.uncounted, table)) return []
    const [was, is] = [rows(recorded, table), rows(exam.rows, table)]
    if (was === is) return []
    if (was === undefined) return [`${table} is new (${is} rows)`]
    return [is === undefined ? `${table} is gone (had ${was} rows)` : `${table} ${was} → ${is} rows`]
  })
}
