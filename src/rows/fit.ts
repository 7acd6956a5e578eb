import { SealiftError } from '../errors.ts'
import type { Plan, PlannedTable } from './plan.ts'
import type { RowSummary } from './row-archive.ts'

/** Whether the archive was made by the release that made this database, or by an earlier one. */
export type Release = 'same' | 'older'

/** What an older archive does not have. */
export interface Absent {
  readonly tables: readonly string[]
  /** `table.column`. */
  readonly columns: readonly string[]
}

/**
 * Holds an archive against the live tables before anything is changed. ROWS_REFUSED names what it has and the database
 * has not, or, where an older release cannot explain it, the other way round. A secret column that only one side knows
 * is refused: plaintext would end up in it, or a wrapped value in a plain one.
 */
export function fit(summary: RowSummary, plan: Plan, release: Release): Absent {
  const planned = new Map(plan.tables.map((table) => [table.name, table]))
  for (const table of summary.tables.keys())
    if (!planned.has(table)) throw refused(table, undefined, 'the database has no such table to import')
  const tables = plan.tables.map(({ name }) => name).filter((name) => !summary.tables.has(name))
  const [missing] = tables
  if (release === 'same' && missing !== undefined)
    throw refused(missing, undefined, 'the archive does not have it')
  const columns = plan.tables.flatMap((table) => {
    const found = summary.tables.get(table.name)
    return found === undefined || found.columns.length === 0 ? [] : fitColumns(table, found.columns, release)
  })
  fitSecrets(summary, plan.tables)
  return { tables, columns }
}

function fitColumns(table: PlannedTable, columns: readonly string[], release: Release): string[] {
  for (const column of columns)
    if (!table.columns.includes(column)) throw refused(table.name, column, 'the database has no such column')
  const missing = table.live.columns.filter(({ name, generated }) => !generated && !columns.includes(name))
  for (const { name, nullable, hasDefault } of missing) {
    if (release === 'same') throw refused(table.name, name, 'the archive does not have it')
    if (!nullable && !hasDefault)
      throw refused(table.name, name, 'the archive does not have it, and it needs a value')
    if (table.key.includes(name))
      throw refused(table.name, name, 'the archive does not have it, and it is of the key')
  }
  return missing.map(({ name }) => `${table.name}.${name}`)
}

function fitSecrets({ tables, secretColumns }: RowSummary, planned: readonly PlannedTable[]): void {
  const known = new Map(
    planned.flatMap(({ secrets }) =>
      secrets.map((one) => [`${one.table}.${one.column}`, one.domain] as const),
    ),
  )
  const said = new Map(secretColumns.map((one) => [`${one.table}.${one.column}`, one.domain] as const))
  for (const { table, column, domain } of secretColumns)
    if (known.get(`${table}.${column}`) !== domain)
      throw refused(
        table,
        column,
        'the archive says that it holds secrets of a domain that the profile does not know',
      )
  for (const { name, secrets } of planned)
    for (const { column } of secrets)
      if (tables.get(name)?.columns.includes(column) === true && !said.has(`${name}.${column}`))
        throw refused(name, column, 'the archive does not say that it holds secrets')
}

function refused(table: string, column: string | undefined, reason: string): SealiftError {
  return new SealiftError('ROWS_REFUSED', { table, ...(column === undefined ? {} : { column }), reason })
}
