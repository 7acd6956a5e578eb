import type { DatabaseSync } from 'node:sqlite'
import { ChainWalk, walkRows } from './chain.ts'
import type { ChainHead, ChainReport } from './chain.ts'
import { columnsOf } from './snapshot-database.ts'

/** The organisation of rows that name none. */
const noOrganisation = '__system__'

/** What a row of `local_audit` says; `null` counts as empty. */
export interface LocalRow {
  readonly id: number
  readonly timestamp: string | null
  readonly event_type: string | null
  readonly agent_id: string | null
  readonly session_id: string | null
  readonly org_id: string | null
  readonly result: string | null
  readonly details: string | null
  readonly seq: number | null
  readonly peer_org_id?: string | null
  readonly hash_format?: string | null
}

const fields = ['event_type', 'agent_id', 'session_id', 'org_id', 'result', 'details'] as const

/**
 * The text that the hash of a row covers, fields joined by `|`:
 * v1 `id|timestamp|event_type|agent_id|session_id|org_id|result|details|prev`, and `|seq=N|peer=P` if it has a number;
 * v2 `v2|timestamp|…|details|prev|seq=N|peer=P`. A `previous` of `null` is hashed as `genesis`. `null` for any other
 * format.
 */
export function localCovered(row: LocalRow, previous: string | null): string | null {
  const joined = fields.map((name) => row[name] ?? '').join('|')
  const seq = row.seq === null ? null : String(row.seq)
  const peer = row.peer_org_id ?? ''
  return cover(row.hash_format ?? null, row.id, row.timestamp ?? '', joined, previous, seq, peer)
}

function cover(
  format: string | null,
  id: number,
  timestamp: string,
  joined: string,
  previous: string | null,
  seq: string | null,
  peer: string,
): string | null {
  const tail = seq === null ? '' : `|seq=${seq}|peer=${peer}`
  const body = `${zoned(timestamp)}|${joined}|${previous ?? 'genesis'}${tail}`
  if (format === null || format === 'v1') return `${id}|${body}`
  return format === 'v2' ? `v2|${body}` : null
}

/** A timestamp as it was hashed: as stored, and `+00:00` where it names no zone. */
function zoned(timestamp: string): string {
  return timestamp === '' || /(Z|[+-]\d\d:?\d\d)$/.test(timestamp) ? timestamp : `${timestamp}+00:00`
}

/** Verifies the chain of each organisation in `local_audit` of an open snapshot, streaming its rows. */
export async function verifyLocalAudit(
  db: DatabaseSync,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ChainReport>> {
  const has = columnsOf(db, 'local_audit')
  const column = (name: string): string => (has.has(name) ? name : 'NULL')
  const joined = fields.map((name) => (has.has(name) ? `coalesce(${name}, '')` : "''")).join(" || '|' || ")
  const chainSeq = column('chain_seq')
  const organisation = column('org_id')
  // One organisation at a time, so that the index gives the order and nothing is sorted.
  const rows = db.prepare(
    `SELECT CAST(${chainSeq} AS TEXT), id, coalesce(timestamp, ''), ${joined}, previous_hash, entry_hash,
            coalesce(${column('peer_org_id')}, ''), ${column('hash_format')}
       FROM local_audit WHERE ${organisation} IS ? ORDER BY ${chainSeq}, id`,
  )
  rows.setReturnArrays(true)
  const reports = new Map<string, ChainReport>()
  for (const { org } of db.prepare(`SELECT DISTINCT ${organisation} AS org FROM local_audit`).all()) {
    const walk = new ChainWalk()
    const take = (row: unknown): void => {
      const [seq, id, timestamp, text, previous, stored, peer, format] = row as Columns
      const covered = cover(format, id, timestamp, text, previous, seq, peer)
      walk.take({ seq: seq === null ? null : Number(seq), id, previous, stored, covered })
    }
    await walkRows(rows.iterate(org ?? null), take, signal)
    const name = org === null || org === undefined ? noOrganisation : String(org)
    // Rows that name no organisation and rows of the fallback would be two chains of one name.
    reports.set(reports.has(name) ? `${name} (2)` : name, walk.report())
  }
  return reports
}

type Columns = [
  seq: string | null,
  id: number,
  timestamp: string,
  text: string,
  previous: string | null,
  stored: string | null,
  peer: string,
  format: string | null,
]

/** True if the row that a manifest calls the head of this organisation is in this database. */
export function containsLocalHead(
  db: DatabaseSync,
  org: string,
  head: Pick<ChainHead, 'max_seq' | 'row_hash'>,
): boolean {
  if (!columnsOf(db, 'local_audit').has('chain_seq')) return false
  const wanted = org === noOrganisation ? '(org_id = ? OR org_id IS NULL)' : 'org_id = ?'
  const row = db
    .prepare(`SELECT entry_hash FROM local_audit WHERE ${wanted} AND chain_seq = ?`)
    .get(org, head.max_seq)
  return row?.['entry_hash'] === head.row_hash
}
