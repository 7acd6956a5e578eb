import { DatabaseSync } from 'node:sqlite'
import { SealiftError } from '../../errors.ts'
import { certificateIn, fingerprint } from './pki.ts'
import { columnsOf } from './snapshot-database.ts'

/** An agent as it must be known to enrol it again. */
export interface Agent {
  readonly id: string
  readonly active: boolean
  /** How it was enrolled. */
  readonly method: string | null
  /** The application holds its private key, so whoever had the database has it too. */
  readonly serverHeld: boolean
  /** When its certificate ends; `null` if it has none. */
  readonly notAfter: Date | null
  /** SHA-256 of its certificate: the pin that it must show. */
  readonly pin: string | null
}

/** Every agent of a snapshot, by id. */
export function* agentsOf(db: DatabaseSync): Generator<Agent> {
  const has = columnsOf(db, 'internal_agents')
  if (!has.has('agent_id')) return
  const column = (name: string): string => (has.has(name) ? `a.${name}` : 'NULL')
  const held = columnsOf(db, 'proxy_config').has('value')
    ? "EXISTS (SELECT 1 FROM proxy_config c WHERE c.key = 'agent_key:' || a.agent_id AND coalesce(c.value, '') <> '')"
    : '0'
  const rows = db
    .prepare(
      `SELECT a.agent_id AS id, ${column('is_active')} AS active, ${column('enrollment_method')} AS method,
              ${column('cert_pem')} AS cert, ${column('revoked_at')} AS revoked, ${held} AS held
         FROM internal_agents a ORDER BY a.agent_id`,
    )
    .iterate()
  for (const row of rows) {
    const certificate = certificateIn(typeof row['cert'] === 'string' ? row['cert'] : undefined)
    yield {
      id: String(row['id']),
      active: row['active'] === 1 && (row['revoked'] ?? '') === '',
      method: typeof row['method'] === 'string' ? row['method'] : null,
      serverHeld: row['held'] === 1,
      notAfter: certificate?.validToDate ?? null,
      pin: certificate === undefined ? null : fingerprint(certificate),
    }
  }
}

/** How many agents there are, and how many of them are in service. */
export function agentCounts(db: DatabaseSync): { agents_total: number; agents_active: number } {
  const active = columnsOf(db, 'internal_agents').has('is_active')
    ? 'coalesce(sum(is_active = 1), 0)'
    : 'count(*)'
  const row = db.prepare(`SELECT count(*) AS total, ${active} AS active FROM internal_agents`).get()
  return { agents_total: Number(row?.['total']), agents_active: Number(row?.['active']) }
}

/**
 * Takes agents out of service in the database of a stopped application: `is_active = 0`, until they are enrolled again.
 * The audit tables are not touched. Gives those that were active, as they were named. Throws USAGE, with nothing
 * written, for an agent that is not there. Leaves no sidecar behind.
 */
export function deactivateAgents(path: string, ids: readonly string[]): string[] {
  using db = new DatabaseSync(path, { timeout: 5000 })
  const known = db.prepare('SELECT 1 FROM internal_agents WHERE agent_id = ?')
  const change = db.prepare('UPDATE internal_agents SET is_active = 0 WHERE agent_id = ? AND is_active <> 0')
  db.exec('BEGIN IMMEDIATE')
  const unknown = ids.filter((id) => known.get(id) === undefined)
  if (unknown.length > 0) {
    db.exec('ROLLBACK')
    throw new SealiftError('USAGE', { reason: `there is no agent ${unknown.join(', ')} in the database` })
  }
  const changed = ids.filter((id) => Number(change.run(id).changes) > 0)
  db.exec('COMMIT')
  return changed
}
