import type { DatabaseSync } from 'node:sqlite'
import { ChainWalk, walkRows } from './chain.ts'
import type { ChainHead, ChainReport, ChainRow } from './chain.ts'
import { columnsOf } from './snapshot-database.ts'

/** What a row of `audit_log` says; `null` counts as empty. The rest of its columns is covered by no hash. */
export interface AuditRow {
  readonly seq: number
  readonly timestamp: string | null
  readonly agent_id: string | null
  readonly action: string | null
  readonly tool_name: string | null
  readonly status: string | null
  readonly detail: string | null
  readonly request_id: string | null
  readonly dpop_jkt?: string | null
  readonly on_behalf_of_user_id?: string | null
  readonly hash_format?: string | null
}

const common = ['timestamp', 'agent_id', 'action', 'tool_name', 'status', 'detail', 'request_id'] as const
const second = ['dpop_jkt', 'on_behalf_of_user_id'] as const

/**
 * The text that the hash of a row covers, fields joined by `|`:
 * v1 `seq|timestamp|agent_id|action|tool_name|status|detail|request_id|prev_hash`,
 * v2 `v2|seq|…|request_id|dpop_jkt|on_behalf_of_user_id|prev_hash`. `null` for any other format.
 */
export function auditCovered(row: AuditRow, previous: string): string | null {
  const fields = common.map((name) => row[name] ?? '').join('|')
  const more = second.map((name) => row[name] ?? '').join('|')
  return cover(row.hash_format ?? null, String(row.seq), fields, more, previous)
}

function cover(
  format: string | null,
  seq: string,
  fields: string,
  more: string,
  previous: string,
): string | null {
  if (format === null || format === 'v1') return `${seq}|${fields}|${previous}`
  return format === 'v2' ? `v2|${seq}|${fields}|${more}|${previous}` : null
}

/**
 * Verifies the one chain of `audit_log` of an open snapshot, streaming its rows. A start other than 1 is no break: the
 * application accepts it, and the head tells. Rows without a number are counted and not verified. A tail that was cut
 * off and a chain that was computed anew cannot be seen from inside: hence the heads in every manifest.
 */
export async function verifyAuditLog(db: DatabaseSync, signal: AbortSignal): Promise<ChainReport> {
  const has = columnsOf(db, 'audit_log')
  // SQLite joins the fields, so that one text and not ten values cross over for each row.
  const text = (name: string): string => (has.has(name) ? `coalesce(${name}, '')` : "''")
  const joined = (names: readonly string[]): string => names.map(text).join(" || '|' || ")
  const column = (name: string): string => (has.has(name) ? name : 'NULL')
  const rows = db.prepare(
    `SELECT CAST(chain_seq AS TEXT), prev_hash, row_hash, ${column('hash_format')}, ${joined(common)}, ${joined(second)}, id
       FROM audit_log WHERE chain_seq IS NOT NULL ORDER BY chain_seq`,
  )
  rows.setReturnArrays(true)
  const walk = new ChainWalk()
  const take = (row: unknown): void => {
    const [seq, previous, stored, format, fields, more, id] = row as [
      string,
      string | null,
      string | null,
      string | null,
      string,
      string,
      number,
    ]
    const covered = cover(format, seq, fields, more, previous ?? '')
    walk.take({ seq: Number(seq), id, previous, stored, covered } satisfies ChainRow)
  }
  await walkRows(rows.iterate(), take, signal)
  const report = walk.report()
  return report.head === null ? report : { ...report, head: { ...report.head, unchained: unchainedRows(db) } }
}

/** Rows that belong to no chain. */
export function unchainedRows(db: DatabaseSync): number {
  return Number(db.prepare('SELECT count(*) AS n FROM audit_log WHERE chain_seq IS NULL').get()?.['n'])
}

/** True if the row that a manifest calls the head is in this database: same number, same hash. */
export function containsHead(db: DatabaseSync, head: Pick<ChainHead, 'max_seq' | 'row_hash'>): boolean {
  const row = db.prepare('SELECT row_hash FROM audit_log WHERE chain_seq = ?').get(head.max_seq)
  return row?.['row_hash'] === head.row_hash
}
