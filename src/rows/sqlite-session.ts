import type { DatabaseSync } from 'node:sqlite'
import { reasonOf, SealiftError } from '../errors.ts'
import type { SequenceState } from './model.ts'
import type { Answer } from './store.ts'

/** Counters exist only for AUTOINCREMENT. */
export function countersOf(db: DatabaseSync): Map<string, SequenceState> {
  const counted = db.prepare("SELECT 1 AS found FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (counted === undefined) return new Map()
  const rows = db
    .prepare(
      'SELECT s.name AS "table", (SELECT i.name FROM pragma_table_info(s.name) i WHERE i.pk = 1) AS "column", CAST(s.seq AS TEXT) AS value FROM sqlite_sequence s',
    )
    .all()
  return new Map(
    rows
      .filter((row) => row['column'] !== null)
      .map((row) => [
        `${String(row['table'])}.${String(row['column'])}`,
        { lastValue: String(row['value'] ?? 0), isCalled: true },
      ]),
  )
}

export function answersOf(db: DatabaseSync, sql: string, values: readonly (string | null)[]): Answer[] {
  const statement = db.prepare(sql)
  statement.setReadBigInts(true)
  return statement
    .all(...values)
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
      ),
    )
}

/** For texts of this database; throws for one that is not valid. */
export function decoderOf(db: DatabaseSync): TextDecoder {
  const encoding = String(db.prepare('PRAGMA encoding').get()?.['encoding'] ?? 'UTF-8')
  return new TextDecoder(encoding.toLowerCase(), { fatal: true, ignoreBOM: true })
}

export function sqliteFailure(database: string, operation: string, error: unknown): unknown {
  if (error instanceof SealiftError) return error
  const code =
    typeof error === 'object' && error !== null && 'errcode' in error
      ? Number(error.errcode) & 0xff
      : undefined
  if (code === undefined) return error
  const reason = reasonOf(error)
  // SQLITE_BUSY and SQLITE_LOCKED.
  return code === 5 || code === 6
    ? new SealiftError('DATABASE_BUSY', { database, reason }, error)
    : new SealiftError('DATABASE_UNAVAILABLE', { database, operation, reason }, error)
}
