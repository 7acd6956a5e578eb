import { join } from 'node:path'
import type { Places } from '../examination.ts'
import type { Identity, Rotation } from '../response.ts'
import { agentsOf } from './agents.ts'
import type { Agent } from './agents.ts'
import { readCa } from './ca-mode.ts'
import type { CaState } from './ca-mode.ts'
import { checkCa } from './certificate-checks.ts'
import { envAt } from './examine-places.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { certificateIn, fingerprint, isUnder } from './pki.ts'
import { readSmall } from './small-file.ts'
import { columnsOf, configOf, openSnapshot } from './snapshot-database.ts'

/**
 * What a rotation of the Org CA left (mastio.md §10): whether the new Root has its key, whether the Intermediate is
 * under it, which store counts, whose certificates are not under either any more, and what is still to be done. The
 * application issues no new Intermediate by itself, and loads a new Root from the encrypted store only at its next start.
 */
export async function rotationOf(copies: Places): Promise<Rotation> {
  const path = copies.get('data')
  if (path === undefined) return { current: null, findings: [], identities: [], next: [] }
  using db = openSnapshot(path)
  const nginx = copies.get('nginx-certs')
  const orgCaCrt = nginx === undefined ? undefined : await readSmall('nginx-certs', join(nginx, 'org-ca.crt'))
  const ca = await readCa(db, await envAt(copies.get('config')), orgCaCrt)
  const certs = copies.get('certs')
  const orgCaPem = certs === undefined ? undefined : await readSmall('certs', join(certs, 'org-ca.pem'))
  const orgId = configOf(db, 'org_id')
  // The application's new Root is in `proxy_config` first; the encrypted store follows at its next start.
  const served = certificateIn(configOf(db, 'org_ca_cert'))
  const root = served ?? ca.root
  if (root === undefined) return { current: null, findings: ca.findings, identities: [], next: [] }
  const behind = ca.root !== undefined && fingerprint(ca.root) !== fingerprint(root)
  const findings = [
    ...storeFindings(ca, behind),
    ...checkCa({ root, intermediate: ca.intermediate }, orgId, { orgCaCrt, orgCaPem }),
  ]
  const issuers = [root, ca.intermediate].filter((one) => one !== undefined)
  const trusted = issuers.filter((one) => one === root || isUnder(one, root))
  const strangers: Identity[] = []
  const pem = columnsOf(db, 'internal_agents').has('cert_pem')
    ? db.prepare('SELECT cert_pem FROM internal_agents WHERE agent_id = ?')
    : undefined
  for (const agent of agentsOf(db)) {
    const text = pem?.get(agent.id)?.['cert_pem']
    const certificate = certificateIn(typeof text === 'string' ? text : undefined)
    if (certificate !== undefined && trusted.some((issuer) => isUnder(certificate, issuer))) continue
    strangers.push(identityOf(agent))
  }
  const next = [
    ...(behind ? ['start the application again: the encrypted key store takes the new Root at a start'] : []),
    ...(trusted.length < 2
      ? ['have the application issue its Intermediate again: it is not under the new Root']
      : []),
    ...(strangers.length > 0
      ? [`enrol ${strangers.length === 1 ? 'the agent' : `the ${strangers.length} agents`} again`]
      : []),
    'give the new CA to every Connector: certs/org-ca.pem, or GET /pki/ca.crt',
    'take a backup now: retention keeps the last archive of the old CA',
  ]
  return { current: fingerprint(root), findings, identities: strangers, next }
}

export function identityOf({ id, active, method, serverHeld, notAfter }: Agent): Identity {
  return { id, active, method, server_held: serverHeld, not_after: notAfter?.toISOString() ?? null }
}

/** Root ↔ key, and the store that counts. While the stores differ on purpose, two CAs are no second one. */
function storeFindings(ca: CaState, behind: boolean): MastioFinding[] {
  const store = {
    'external-kms': 'the key is in an external key service',
    'encrypted-db': 'the encrypted key store of the database counts',
    'plaintext-db': 'the plaintext rows of the database count',
  }
  const found = [
    finding('note', 'ca-store', ca.mode === null ? 'there is no key of the Org CA' : store[ca.mode]),
    finding('note', 'ca-key', `the key belongs to the Root: ${ca.keyMatches}`),
    ...ca.findings.filter(({ class: weight, check }) => weight !== 'note' && !(behind && check === 'ca-two')),
  ]
  if (behind) {
    const detail =
      'the encrypted key store still has the old Root: the new one is not loaded before the next start'
    found.push(finding('attention', 'ca-store-behind', detail))
  }
  return found
}
