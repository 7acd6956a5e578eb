import { readdir } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { SealiftError, systemCode } from '../../errors.ts'
import type { Facts } from '../../manifest.ts'
import type { Places } from '../examination.ts'
import type { AuditWindow, ExposedSecret, Response } from '../response.ts'
import { agentsOf, deactivateAgents } from './agents.ts'
import { verifyAuditLog } from './audit-log.ts'
import { auditActivity, auditEntries } from './audit-window.ts'
import { envAt } from './examine-places.ts'
import { chainFindings } from './examine.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { inventory } from './inventory.ts'
import { verifyLocalAudit } from './local-audit.ts'
import { lostHeads } from './predecessor.ts'
import { identityOf } from './rotation.ts'
import { rotateLocalSecrets } from './rotate.ts'
import { columnsOf, openSnapshot } from './snapshot-database.ts'

/** How many lines of activity a report has; the rest is counted, and `auditRows` gives every row. */
const activityShown = 50

/** What is done after a breach (mastio.md §10, Ransomware). */
export const response: Response = {
  warnings: [
    'an agent that is enrolled again keeps its old certificate valid for 48 h (MCP_PROXY_AGENT_CERT_GRACE_PERIOD_HOURS): set it to 0 before, or switch the agent off first',
    'whoever had the database had the keys in it: a server-held agent key, the signing key, and the Org CA key unless it was encrypted or elsewhere',
    'a session or a token that was revoked after the archive was taken is valid again until it is revoked once more',
  ],
  async inventory(places, keyFiles) {
    using db = databaseOf(places)
    const env = await envAt(places.get('config'))
    const entries = inventory({
      env,
      ...(db === undefined ? {} : { database: db }),
      keyFiles: await keysIn(places),
    })
    const files = keyFiles.map((name): ExposedSecret => ({
      name,
      place: 'file',
      rotate:
        'the operator, if it lay on the host: a new passphrase; `sealift rekey` for the archives that are kept',
      how: 'manual',
    }))
    return [...entries, ...files]
  },
  async rotate(places, random) {
    const path = places.get('config')
    return path === undefined ? [] : rotateLocalSecrets(path, random)
  },
  identities(places) {
    using db = databaseOf(places)
    return Promise.resolve(db === undefined ? [] : [...agentsOf(db)].map(identityOf))
  },
  async deactivate(places, ids) {
    const path = places.get('data')
    if (path === undefined) throw new SealiftError('USAGE', { reason: 'there is no database of agents here' })
    return Promise.resolve(deactivateAgents(path, ids))
  },
  async audit(places, { from, to }, backups, signal) {
    using db = databaseOf(places)
    const window = { from: from.toISOString(), to: to.toISOString() }
    if (db === undefined || columnsOf(db, 'audit_log').size === 0) {
      const detail = 'there is no audit log that could be read'
      const findings = [finding('attention', 'audit-missing', detail)]
      return { ...window, rows: 0, activity: [], activity_left_out: 0, findings, heads_compared: 0 }
    }
    const activity = [...auditActivity(db, from, to)]
    return {
      ...window,
      rows: activity.reduce((sum, { count }) => sum + count, 0),
      activity: activity.slice(0, activityShown),
      activity_left_out: Math.max(0, activity.length - activityShown),
      findings: [...(await brokenChains(db, signal)), ...backups.flatMap((one) => lostIn(db, one))],
      heads_compared: backups.length,
    } satisfies AuditWindow
  },
  *auditRows(places, { from, to }) {
    using db = databaseOf(places)
    if (db !== undefined && columnsOf(db, 'audit_log').size > 0) yield* auditEntries(db, from, to)
  },
}

function databaseOf(places: Places): DatabaseSync | undefined {
  const path = places.get('data')
  return path === undefined ? undefined : openSnapshot(path)
}

async function brokenChains(db: DatabaseSync, signal: AbortSignal): Promise<MastioFinding[]> {
  const local = columnsOf(db, 'local_audit').size === 0 ? [] : await verifyLocalAudit(db, signal)
  return [
    ...chainFindings('audit_log', await verifyAuditLog(db, signal)),
    ...[...local].flatMap(([org, report]) => chainFindings(`local_audit of ${org}`, report)),
  ]
}

/** A head that was carried off the host and is not in the chain: what an adversary on the host could not change. */
function lostIn(
  db: DatabaseSync,
  { name, facts }: { readonly name: string; readonly facts: Facts },
): MastioFinding[] {
  const lost = lostHeads(db, facts)
  if (lost.length === 0) return []
  const detail = `${name} has ${lost.join(', ')}, and this state has not: history was rewritten, or a restore forked it`
  return [finding('attention', 'head-lost', detail)]
}

/** Private keys by name: the server's, and those of SAML. */
async function keysIn(places: Places): Promise<string[]> {
  const found: string[] = []
  for (const source of ['nginx-certs', 'saml-keys'] as const) {
    const folder = places.get(source)
    if (folder === undefined) continue
    const names = await readdir(folder).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
      throw error
    })
    const keys = names.filter((name) => source === 'saml-keys' || name.endsWith('.key'))
    found.push(...keys.toSorted().map((name) => join(source, name)))
  }
  return found
}
