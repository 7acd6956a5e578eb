import type { X509Certificate } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { CaState } from './ca-mode.ts'
import { walkRows } from './chain.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { certificateIn, commonName, derivedOrgId, fingerprint, isUnder, keyMatches } from './pki.ts'
import { columnsOf } from './snapshot-database.ts'

/** The certificate files of a bundle, as bytes; `undefined` where there is no such file. */
export interface CertificateFiles {
  /** `nginx-certs/org-ca.crt`: Root, then Intermediate. */
  readonly orgCaCrt?: Uint8Array | undefined
  readonly serverCrt?: Uint8Array | undefined
  readonly serverKey?: Uint8Array | undefined
  /** `certs/org-ca.pem`. */
  readonly orgCaPem?: Uint8Array | undefined
  /** `certs/org-id`. */
  readonly orgId?: Uint8Array | undefined
}

const namesShown = 5

/** Root and Intermediate: names, relation to the organisation, what lies on disk. */
export function checkCa(
  { root, intermediate }: Pick<CaState, 'root' | 'intermediate'>,
  orgId: string | undefined,
  files: CertificateFiles,
): MastioFinding[] {
  if (root === undefined) return []
  const found: MastioFinding[] = []
  if (orgId !== undefined && commonName(root) !== `${orgId} CA`) {
    const detail = `the Org CA is not named "${orgId} CA": the application refuses it`
    found.push(finding('fail', 'ca-name', detail))
  }
  if (orgId !== undefined && derivedOrgId(root) !== orgId) {
    const detail = `org_id ${orgId} is not derived from the Org CA: it was set by hand, or the CA was rotated`
    found.push(finding('note', 'org-id', detail))
  }
  if (intermediate === undefined || !isUnder(intermediate, root)) {
    const what = intermediate === undefined ? 'is missing' : 'is not signed by the Org CA'
    found.push(finding('attention', 'intermediate', `the Mastio Intermediate CA ${what}`))
  }
  const differs = (bytes: Uint8Array | undefined): boolean => {
    const first = certificateIn(bytes)
    return bytes !== undefined && (first === undefined || fingerprint(first) !== fingerprint(root))
  }
  if (differs(files.orgCaCrt)) {
    found.push(finding('attention', 'ca-on-disk', 'nginx-certs/org-ca.crt is not the Org CA of the database'))
  }
  if (differs(files.orgCaPem)) {
    const detail = 'certs/org-ca.pem is not the Org CA of the database; deploy.sh exports it again'
    found.push(finding('note', 'ca-exported', detail))
  }
  return found
}

/** Every agent's certificate must be under Root or Intermediate; those that are not get 401. */
export async function checkAgents(
  db: DatabaseSync,
  { root, intermediate }: Pick<CaState, 'root' | 'intermediate'>,
  signal: AbortSignal,
): Promise<MastioFinding[]> {
  if (root === undefined || !columnsOf(db, 'internal_agents').has('cert_pem')) return []
  const strangers: string[] = []
  let count = 0
  const rows = db
    .prepare(
      "SELECT agent_id, cert_pem FROM internal_agents WHERE coalesce(cert_pem, '') <> '' ORDER BY agent_id",
    )
    .iterate()
  await walkRows(
    rows,
    (row) => {
      const certificate = certificateIn(String(row['cert_pem']))
      const issuers = [intermediate, root].filter((one) => one !== undefined)
      if (certificate !== undefined && issuers.some((issuer) => isUnder(certificate, issuer))) return
      count += 1
      if (strangers.length < namesShown) strangers.push(String(row['agent_id']))
    },
    signal,
  )
  if (count === 0) return []
  const more = count > namesShown ? ` and ${count - namesShown} more` : ''
  const detail = `${count} agents have a certificate that neither Root nor Intermediate signed: ${strangers.join(', ')}${more}`
  return [finding('attention', 'agent-certificate', detail)]
}

/** `mastio-server.crt` and its key. `reread` gives the pair once more: it may be renewed while it is copied. */
export async function checkServer(
  files: Pick<CertificateFiles, 'serverCrt' | 'serverKey'>,
  now: Date,
  reread?: () => Promise<Pick<CertificateFiles, 'serverCrt' | 'serverKey'>>,
): Promise<{ certificate: X509Certificate | undefined; findings: MastioFinding[] }> {
  const certificate = certificateIn(files.serverCrt)
  if (certificate === undefined || files.serverKey === undefined) {
    const detail = 'the server certificate or its key is missing; both are made again at the next start'
    return { certificate, findings: [finding('note', 'server-certificate', detail)] }
  }
  const fits = (pair: typeof files): boolean => {
    const one = certificateIn(pair.serverCrt)
    return one !== undefined && pair.serverKey !== undefined && keyMatches(one, pair.serverKey)
  }
  const findings: MastioFinding[] = []
  if (!fits(files) && (reread === undefined || !fits(await reread()))) {
    findings.push(
      finding('attention', 'server-key', 'mastio-server.key does not belong to mastio-server.crt'),
    )
  }
  if (certificate.validToDate < now) {
    const detail = 'the server certificate has expired; it is made again at the next start'
    findings.push(finding('note', 'server-expired', detail))
  }
  return { certificate, findings }
}
