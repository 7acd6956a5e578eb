import type { DatabaseSync } from 'node:sqlite'
import { columnsOf } from './snapshot-database.ts'

/** How often an agent did something in a window of time, and when first and last. */
export interface AuditActivity {
  readonly agent: string
  readonly action: string
  readonly status: string
  readonly count: number
  readonly first: string
  readonly last: string
}

/** One row of `audit_log`, as it is stored. */
export type AuditEntry = Readonly<Record<string, string | number | null>>

/** Rows whose time lies in [from, to], compared as time because rows may name different zones. */
const within = 'julianday(timestamp) BETWEEN julianday(?) AND julianday(?)'

/** Who did what in a window, most active first. */
export function* auditActivity(db: DatabaseSync, from: Date, to: Date): Generator<AuditActivity> {
  const rows = db
    .prepare(
      `SELECT coalesce(agent_id, '') AS agent, coalesce(action, '') AS action, coalesce(status, '') AS status,
              count(*) AS count, min(timestamp) AS first, max(timestamp) AS last
         FROM audit_log WHERE ${within} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3`,
    )
    .iterate(from.toISOString(), to.toISOString())
  for (const { agent, action, status, count, first, last } of rows) {
    yield {
      agent: String(agent),
      action: String(action),
      status: String(status),
      count: Number(count),
      first: String(first),
      last: String(last),
    }
  }
}

/** The rows of a window themselves, in the order of their numbers: what an investigation takes along. */
export function* auditEntries(db: DatabaseSync, from: Date, to: Date): Generator<AuditEntry> {
  const columns = [...columnsOf(db, 'audit_log')].join(', ')
  const rows = db
    .prepare(`SELECT ${columns} FROM audit_log WHERE ${within} ORDER BY chain_seq, id`)
    .iterate(from.toISOString(), to.toISOString())
  for (const row of rows) yield { ...row } as AuditEntry
}
