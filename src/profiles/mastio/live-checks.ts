import type { DatabaseSync } from 'node:sqlite'
import type { Facts } from '../../manifest.ts'
import { agentCounts } from './agents.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { certificateIn, fingerprint } from './pki.ts'
import { lostHeads } from './predecessor.ts'
import { columnsOf, configOf } from './snapshot-database.ts'

/**
 * Compares the database of a started application with the facts of the archive that was restored: the organisation, its
 * CA, the agents, and the head of each chain. `db` is a snapshot of the live one.
 */
export function checkLive(db: DatabaseSync, facts: Facts): MastioFinding[] {
  const missing = ['audit_log', 'internal_agents'].filter((table) => columnsOf(db, table).size === 0)
  if (missing.length > 0)
    return [finding('fail', 'live-empty', `the live database lacks ${missing.join(', ')}`)]
  const found: MastioFinding[] = []
  const orgId = configOf(db, 'org_id')
  if (orgId !== undefined && typeof facts['org_id'] === 'string' && orgId !== facts['org_id']) {
    const detail = `the live database belongs to organisation ${orgId}, the backup to ${facts['org_id']}`
    found.push(finding('fail', 'live-org', detail))
  }
  const ca = certificateIn(configOf(db, 'org_ca_cert'))
  if (
    ca !== undefined &&
    typeof facts['ca_fingerprint_sha256'] === 'string' &&
    fingerprint(ca) !== facts['ca_fingerprint_sha256']
  ) {
    const detail = `the live database has another Org CA than the backup: ${fingerprint(ca)}`
    found.push(finding('fail', 'live-ca', detail))
  }
  const { agents_total: agents } = agentCounts(db)
  if (agents < Number(facts['agents_total'] ?? 0)) {
    const detail = `the live database has ${agents} agents, the backup has ${Number(facts['agents_total'])}`
    found.push(finding('fail', 'live-agents', detail))
  }
  const lost = lostHeads(db, facts)
  if (lost.length > 0) {
    found.push(finding('fail', 'live-head', `the live database lacks ${lost.join(', ')} of the backup`))
  }
  return found
}
