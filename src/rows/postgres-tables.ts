import { SealiftError } from '../errors.ts'
import type { SequenceState } from './model.ts'
import type { CellKind, PostgresCatalog } from './postgres-catalog.ts'
import type { PostgresSession } from './postgres-session.ts'

export function tableSql(catalog: PostgresCatalog, table: string): { name: string; partitioned: boolean } {
  const found = catalog.sql.get(table)
  if (found === undefined)
    throw new SealiftError('ROWS_MODEL_REFUSED', { reason: `there is no table ${table}` })
  return found
}

export function kindsOf(catalog: PostgresCatalog, table: string, columns: readonly string[]): CellKind[] {
  return columns.map((column) => {
    const kind = catalog.kinds.get(`${table}.${column}`)
    if (kind === undefined)
      throw new SealiftError('ROWS_MODEL_REFUSED', { reason: `${table} has no column ${column}` })
    return kind
  })
}

/** Where every counter stands. Counters know no transaction: the state is that of now. */
export async function sequenceStates(
  session: PostgresSession,
  catalog: PostgresCatalog,
): Promise<ReadonlyMap<string, SequenceState>> {
  const states = new Map<string, SequenceState>()
  for (const { table, column, sql } of catalog.sequences) {
    const [row] = await session.query(
      `SELECT last_value::text AS last, is_called::text AS called FROM ${sql}`,
    )
    states.set(`${table}.${column}`, {
      lastValue: row?.['last'] ?? '1',
      isCalled: row?.['called'] === 'true',
    })
  }
  return states
}
