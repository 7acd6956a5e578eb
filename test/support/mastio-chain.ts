import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

export interface Rows {
  readonly count: number
  /** `mixed`: every third row is v2, as the batched writer and the direct one leave them. */
  readonly format?: 'v1' | 'v2' | 'mixed'
  readonly detailBytes?: number
  /** When the first row was written; one second passes between rows. */
  readonly from?: Date
  /** For `local_audit`; `acme` if it is absent. */
  readonly org?: string
}

const start = new Date('2026-05-14T10:30:25.123Z')

/** Continues the chain of `audit_log` in one transaction. */
export function appendAudit(db: DatabaseSync, rows: Rows): void {
  const { count, format = 'mixed', detailBytes = 20, from = start } = rows
  const last = db.prepare('SELECT chain_seq, row_hash FROM audit_log ORDER BY chain_seq DESC LIMIT 1').get()
  let previous = String(last?.['row_hash'] ?? 'genesis')
  const before = Number(last?.['chain_seq'] ?? 0)
  const insert = db.prepare(
    `INSERT INTO audit_log (timestamp, agent_id, action, tool_name, status, detail, request_id, duration_ms,
       chain_seq, prev_hash, row_hash, dpop_jkt, on_behalf_of_user_id, hash_format)
     VALUES (?, ?, 'tool.call', ?, 'success', ?, ?, 1.5, ?, ?, ?, ?, ?, ?)`,
  )
  const pad = 'x'.repeat(detailBytes)
  db.exec('BEGIN IMMEDIATE')
  for (let seq = before + 1; seq <= before + count; seq += 1) {
    const second = format === 'v2' || (format === 'mixed' && seq % 3 === 0)
    const time = new Date(from.getTime() + seq * 1000).toISOString().replace('Z', '456+00:00')
    const agent = `acme::${seq % 2 === 0 ? 'alice' : 'bob'}`
    const tool = seq % 5 === 0 ? null : 'search'
    const detail = `{"n":${seq},"pad":"${pad}é"}`
    const request = `r${seq}`
    const covered = [String(seq), time, agent, 'tool.call', tool ?? '', 'success', detail, request]
    const fields = second ? ['v2', ...covered, 'jkt1', 'u1', previous] : [...covered, previous]
    const hash = sha256(fields.join('|'))
    const kind = second ? 'v2' : seq % 2 === 0 ? 'v1' : null
    insert.run(
      time,
      agent,
      tool,
      detail,
      request,
      seq,
      previous,
      hash,
      second ? 'jkt1' : null,
      second ? 'u1' : null,
      kind,
    )
    previous = hash
  }
  db.exec('COMMIT')
}

/** Continues the chain of one organisation in `local_audit` in one transaction. */
export function appendLocal(db: DatabaseSync, rows: Rows): void {
  const { count, format = 'mixed', org = 'acme', from = start } = rows
  const last = db
    .prepare('SELECT chain_seq, entry_hash FROM local_audit WHERE org_id = ? ORDER BY chain_seq DESC LIMIT 1')
    .get(org)
  let previous = last === undefined ? null : String(last['entry_hash'])
  const before = Number(last?.['chain_seq'] ?? 0)
  let id = Number(db.prepare('SELECT coalesce(max(id), 0) AS n FROM local_audit').get()?.['n'])
  const insert = db.prepare(
    `INSERT INTO local_audit (id, timestamp, agent_id, event_type, details, previous_hash, entry_hash, session_id,
       org_id, result, chain_seq, peer_org_id, hash_format)
     VALUES (?, ?, 'alice', 'session.open', ?, ?, ?, NULL, ?, 'ok', ?, ?, ?)`,
  )
  db.exec('BEGIN IMMEDIATE')
  for (let seq = before + 1; seq <= before + count; seq += 1) {
    id += 1
    const second = format === 'v2' || (format === 'mixed' && seq % 3 === 0)
    const time = new Date(from.getTime() + seq * 1000).toISOString().slice(0, 19)
    const details = `{"i":${seq}}`
    const peer = seq % 4 === 0 ? 'other' : null
    const covered = [`${time}+00:00`, 'session.open', 'alice', '', org, 'ok', details, previous ?? 'genesis']
    const tail = [`seq=${seq}`, `peer=${peer ?? ''}`]
    const hash = sha256([second ? 'v2' : String(id), ...covered, ...tail].join('|'))
    insert.run(id, time, details, previous, hash, org, seq, peer, second ? 'v2' : null)
    previous = hash
  }
  db.exec('COMMIT')
}

/** Changes a database as somebody would who wants no trace: the four triggers are put back afterwards. */
export function tamper(db: DatabaseSync, sql: string): void {
  const triggers = db
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .map((row) => ({ name: String(row['name']), sql: String(row['sql']) }))
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`)
  db.exec(sql)
  for (const trigger of triggers) db.exec(trigger.sql)
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
