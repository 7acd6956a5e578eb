import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { issueCertificate } from './x509-issue.ts'
import type { Issued } from './x509-issue.ts'

/** A synthetic organisation: a Root, an Intermediate under it, the server's leaf, and agents under the Intermediate. */
export interface Pki {
  readonly orgId: string
  readonly root: Issued
  readonly intermediate: Issued
  readonly server: Issued
  readonly agents: Readonly<Record<string, Issued>>
}

export interface PkiOptions {
  /** Two lineages of one process differ by this name. */
  readonly lineage?: string
  readonly rootName?: string
  readonly sans?: readonly string[]
}

const made = new Map<string, Pki>()

/** The organisation of these options: made once for each process. */
export function testPki(options: PkiOptions = {}): Pki {
  const id = JSON.stringify(options)
  const known = made.get(id)
  if (known !== undefined) return known
  const key = newKey()
  const orgId = orgIdOf(key)
  const { rootName = `${orgId} CA`, sans = ['mastio.acme.test', 'localhost', 'mcp-proxy'] } = options
  const root = issueCertificate({ subject: { CN: rootName, O: orgId }, key, days: 5475, ca: 1 })
  const subject = { CN: `${orgId} Mastio CA`, O: orgId }
  const intermediate = issueCertificate({ subject, key: newKey(), days: 1825, ca: 0, issuer: root })
  const agents = ['alice', 'bob', 'carol'].map((name): [string, Issued] => [
    `${orgId}::${name}`,
    issueAgent({ orgId, intermediate }, name),
  ])
  const server = issueServer(intermediate, sans)
  const pki = { orgId, root, intermediate, server, agents: Object.fromEntries(agents) }
  made.set(id, pki)
  return pki
}

/** A server leaf of 90 days for names and addresses, followed by the Intermediate as the application writes it. */
export function issueServer(intermediate: Issued, sans: readonly string[], from = new Date()): Issued {
  const subject = { CN: sans[0] ?? 'mastio' }
  const order = { subject, key: newKey(), issuer: intermediate, days: 90, serverAuth: true, names: sans }
  const leaf = issueCertificate({ ...order, from: new Date(from.getTime() - 86_400_000) })
  return { cert: `${leaf.cert}${intermediate.cert}`, key: leaf.key }
}

/** A new leaf of an agent: another certificate and key each time. */
export function issueAgent(
  { orgId, intermediate }: Pick<Pki, 'orgId' | 'intermediate'>,
  name: string,
): Issued {
  const names = [`spiffe://cullis.local/${orgId}/${name}`]
  const subject = { CN: `${orgId}::${name}`, O: orgId }
  return issueCertificate({ subject, key: newKey(), issuer: intermediate, days: 365, names })
}

/** The Root that a rotation in the application leaves: RSA, of the same names, and no issuer of the old Intermediate. */
export function rotatedRoot({ orgId }: Pki, bits = 2048): Issued {
  const { privateKey: key } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return issueCertificate({ subject: { CN: `${orgId} CA`, O: orgId }, key, days: 3650, ca: 1 })
}

/** First 16 hex digits of SHA-256 over the public key. */
export function orgIdOf(key: string): string {
  const spki = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}

function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
}
