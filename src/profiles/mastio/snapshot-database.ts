import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/**
 * Opens a snapshot for reading. No process may have it open for writing: `immutable` keeps SQLite from making `-wal` and
 * `-shm` beside it, and is wrong on a live database. Whoever opens it closes it. Throws SQLite's own error.
 */
export function openSnapshot(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true })
  // A schema is data too: functions named in it must not run with our rights.
  // What SQLite must sort stays in memory: a temporary file would be plaintext on a disk.
  db.exec('PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY')
  return db
}

/** The columns of a table, empty if there is no such table. Older heads of the application lack some of both. */
export function columnsOf(db: DatabaseSync, table: string): ReadonlySet<string> {
  const rows = db.prepare('SELECT name FROM pragma_table_info(?)').all(table)
  return new Set(rows.map(({ name }) => String(name)))
}

/** Names of tables or triggers. */
export function namesOf(db: DatabaseSync, type: 'table' | 'trigger'): ReadonlySet<string> {
  const rows = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all(type)
  return new Set(rows.map(({ name }) => String(name)))
}

/** `proxy_config`: the value of a key, `undefined` if it is not there, NULL or empty. May be a secret. */
export function configOf(db: DatabaseSync, key: string): string | undefined {
  if (!columnsOf(db, 'proxy_config').has('value')) return undefined
  const value = db.prepare('SELECT value FROM proxy_config WHERE key = ?').get(key)?.['value']
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** True for what SQLite itself threw: a file that is no database, or a damaged one. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error
}
