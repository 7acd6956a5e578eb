import type { DatabaseSync } from 'node:sqlite'
import { columnsOf } from './snapshot-database.ts'

/**
 * The latest moment that either audit table tells of, as ISO 8601 in UTC; `null` if there is none. It is compared as
 * time, not as text, because rows may name different zones.
 */
export function newestTimestamp(db: DatabaseSync): string | null {
  let newest = 0
  for (const table of ['audit_log', 'local_audit']) {
    if (!columnsOf(db, table).has('timestamp')) continue
    const row = db.prepare(`SELECT max(julianday(timestamp)) AS day FROM ${table}`).get()
    newest = Math.max(newest, Number(row?.['day'] ?? 0))
  }
  if (newest === 0) return null
  const unixEpoch = 2440587.5
  return new Date(Math.round((newest - unixEpoch) * 86_400_000)).toISOString()
}
