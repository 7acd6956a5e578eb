import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { FactValue } from '../manifest.ts'
import { reasonOf } from '../errors.ts'
import type { SqliteExam } from './sqlite-report.ts'

/**
 * Examines a database file that no process has open: integrity, schema, row counts. `immutable` keeps SQLite from
 * making `-wal` and `-shm` beside it, and it must not be used on a live database. Synchronous and long: it is run in
 * a child process. Throws SQLite's own error where the file cannot be read as a database at all.
 */
export function examine(path: string): SqliteExam {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true })
  try {
    // A schema is data too: functions named in it must not run with our rights.
    db.exec('PRAGMA trusted_schema = OFF')
    const integrity = checkIntegrity(db)
    const { rows, uncounted } = countRows(db)
    return {
      ...integrity,
      facts: {
        page_size: pragma(db, 'page_size'),
        page_count: pragma(db, 'page_count'),
        user_version: pragma(db, 'user_version'),
        application_id: pragma(db, 'application_id'),
        encoding: pragma(db, 'encoding'),
        schema_sha256: hashSchema(db),
      },
      rows,
      uncounted,
      version: process.versions['sqlite'] ?? 'unknown',
    }
  } finally {
    db.close()
  }
}

/** The value of a pragma that answers one value. */
export function pragma(db: DatabaseSync, name: string): FactValue {
  const value = Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  return typeof value === 'string' || typeof value === 'number' ? value : null
}

function checkIntegrity(db: DatabaseSync): Pick<SqliteExam, 'problems' | 'unchecked'> {
  try {
    const found = db
      .prepare('PRAGMA integrity_check(10)')
      .all()
      .map((row) => String(row['integrity_check']))
    return { problems: found.length === 1 && found[0] === 'ok' ? [] : found }
  } catch (error) {
    // SQLITE_ERROR: the schema needs what only the application has (a collation, a function). Other codes are damage.
    if (resultCode(error) !== 1) throw error
    return { problems: [], unchecked: reasonOf(error) }
  }
}

function countRows(db: DatabaseSync): Pick<SqliteExam, 'rows' | 'uncounted'> {
  const rows: [string, number][] = []
  const uncounted: [string, string][] = []
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all()
  for (const { name } of tables) {
    const table = String(name)
    try {
      const count = db.prepare(`SELECT count(*) AS n FROM main."${table.replaceAll('"', '""')}"`).get()
      rows.push([table, Number(count?.['n'])])
    } catch (error) {
      if (resultCode(error) !== 1) throw error
      uncounted.push([table, reasonOf(error)])
    }
  }
  return { rows: Object.fromEntries(rows), uncounted: Object.fromEntries(uncounted) }
}

/** SHA-256 over the ordered schema: one JSON array `[type, name, table, sql]` a line. */
function hashSchema(db: DatabaseSync): string {
  const hash = createHash('sha256')
  const schema = db.prepare(
    'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name',
  )
  for (const row of schema.iterate()) {
    hash.update(`${JSON.stringify([row['type'], row['name'], row['tbl_name'], row['sql']])}\n`)
  }
  return hash.digest('hex')
}

/** The primary result code of SQLite (5 busy, 11 corrupt, 26 no database, …), if the error is SQLite's. */
export function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
