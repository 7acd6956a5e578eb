import type { X509Certificate } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { Secret } from '../../secret.ts'
import { valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import type { Surroundings } from './env-surroundings.ts'
import { kmsOf } from './exclusions.ts'
import { openPki, pkiKey, pkiPrefix } from './fernet.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { certificateIn, fingerprint, keyMatches } from './pki.ts'
import { columnsOf, configOf } from './snapshot-database.ts'

/** Where the private key of the Org CA is: in an external key service, encrypted in the database, or plain in it. */
export type CaMode = 'external-kms' | 'encrypted-db' | 'plaintext-db'

/** The Org CA as a snapshot and `proxy.env` have it. No key is in it. */
export interface CaState {
  /** `null`: there is no key at all, though the database should hold it. */
  readonly mode: CaMode | null
  readonly root: X509Certificate | undefined
  readonly intermediate: X509Certificate | undefined
  readonly keyMatches: 'yes' | 'no' | 'not checkable'
  /** Of the encrypted mode: whether the key in `proxy.env` opens the store. */
  readonly keyOpens: 'yes' | 'no' | 'too short' | 'no key given' | null
  readonly findings: readonly MastioFinding[]
}

interface StoredCa {
  readonly ciphertext: string
  readonly certificate: X509Certificate | undefined
}

/**
 * Determines the mode of the Org CA. No key in a database mode is `hard`; two CAs, a key of another certificate and a
 * missing certificate are `fail`. `diskRoot` is `nginx-certs/org-ca.crt`: the Root where the database names none.
 */
export async function readCa(
  db: DatabaseSync,
  env: EnvFile,
  diskRoot: Uint8Array | undefined,
): Promise<CaState> {
  const configured = certificateIn(configOf(db, 'org_ca_cert'))
  const plainKey = configOf(db, 'org_ca_key')
  const stored = activeRows(db, 'org_ca')
  const intermediate =
    activeRows(db, 'intermediate_ca')[0]?.certificate ?? certificateIn(configOf(db, 'mastio_ca_cert'))
  const findings: MastioFinding[] = []
  if (kmsOf(env) !== undefined) {
    const root = configured ?? certificateIn(diskRoot)
    if (root === undefined) findings.push(noCertificate)
    return { mode: 'external-kms', root, intermediate, keyMatches: 'not checkable', keyOpens: null, findings }
  }
  const hasPlain = plainKey?.includes('PRIVATE KEY-----') === true
  const [active] = stored
  if (active === undefined) {
    if (!hasPlain) {
      findings.push(finding('hard', 'ca-key-missing', 'the database holds no private key of the Org CA'))
      return {
        mode: null,
        root: configured,
        intermediate,
        keyMatches: 'not checkable',
        keyOpens: null,
        findings,
      }
    }
    const matches = configured !== undefined && keyMatches(configured, plainKey)
    if (configured === undefined) findings.push(noCertificate)
    else if (!matches) findings.push(wrongKey)
    findings.push(
      finding('note', 'ca-key-plaintext', 'the archive carries the private key of the Org CA in plaintext'),
    )
    const keyState = configured === undefined ? 'not checkable' : matches ? 'yes' : 'no'
    return {
      mode: 'plaintext-db',
      root: configured,
      intermediate,
      keyMatches: keyState,
      keyOpens: null,
      findings,
    }
  }
  const root = active.certificate
  if (root === undefined) findings.push(noCertificate)
  else if (!sameCa(stored, configured) || (hasPlain && !keyMatches(root, plainKey))) {
    findings.push(
      finding('fail', 'ca-two', 'the database holds two different Org CAs: a second one was made'),
    )
  } else if (hasPlain) {
    const detail = 'the Org CA key is encrypted, and a plaintext copy of it was left behind'
    findings.push(finding('attention', 'ca-plaintext-copy', detail))
  }
  const opened = await openActive(active, env)
  if (opened.keyOpens === 'no' || opened.keyOpens === 'too short') {
    const detail = 'MCP_PROXY_DB_ENCRYPTION_KEY does not open the key store of the database'
    findings.push(finding('attention', 'pki-key', detail))
  }
  if (opened.keyMatches === 'no') findings.push(wrongKey)
  return { mode: 'encrypted-db', root, intermediate, ...opened, findings }
}

const noCertificate = finding(
  'fail',
  'ca-certificate-missing',
  'the certificate of the Org CA is missing or unreadable',
)
const wrongKey = finding(
  'fail',
  'ca-key-mismatch',
  'the private key of the Org CA does not belong to its certificate',
)

/** Active rows of the key store: activated, not deprecated, encrypted; the newest first. */
function activeRows(db: DatabaseSync, type: string): StoredCa[] {
  if (!columnsOf(db, 'pki_key_store').has('ciphertext')) return []
  const rows = db
    .prepare(
      `SELECT ciphertext, cert_pem FROM pki_key_store
         WHERE key_type = ? AND coalesce(activated_at, '') <> '' AND coalesce(deprecated_at, '') = ''
           AND substr(ciphertext, 1, ${pkiPrefix.length}) = '${pkiPrefix}' ORDER BY activated_at DESC`,
    )
    .all(type)
  return rows.map((row) => ({
    ciphertext: String(row['ciphertext']),
    certificate: certificateIn(typeof row['cert_pem'] === 'string' ? row['cert_pem'] : undefined),
  }))
}

function sameCa(stored: readonly StoredCa[], configured: X509Certificate | undefined): boolean {
  const all = [configured, ...stored.map(({ certificate }) => certificate)]
  return new Set(all.map((one) => (one === undefined ? '' : fingerprint(one)))).size === 1
}

async function openActive(
  { ciphertext, certificate }: StoredCa,
  env: EnvFile,
): Promise<Pick<CaState, 'keyOpens' | 'keyMatches'>> {
  const passphrase = valueOf(env, 'MCP_PROXY_DB_ENCRYPTION_KEY') ?? ''
  if (passphrase.trim() === '') return { keyOpens: 'no key given', keyMatches: 'not checkable' }
  const key = await pkiKey(new Secret(passphrase))
  if (key === undefined) return { keyOpens: 'too short', keyMatches: 'not checkable' }
  const opened = openPki(ciphertext, key)
  if (opened === undefined) return { keyOpens: 'no', keyMatches: 'not checkable' }
  const matches = certificate !== undefined && keyMatches(certificate, opened.keyPem)
  return { keyOpens: 'yes', keyMatches: matches ? 'yes' : 'no' }
}

/**
 * Whether the key of a `proxy.env` opens the key store of a database: to be asked, with the file that will be effective,
 * before a restore swaps anything. With the key missing the application starts, is ready, and makes a new Org CA of the
 * same name (measured).
 */
export async function keyStoreState(
  db: DatabaseSync,
  env: EnvFile,
): Promise<NonNullable<Surroundings['pkiKey']>> {
  const { keyOpens } = await readCa(db, env, undefined)
  const states = {
    yes: 'opens',
    no: 'wrong',
    'too short': 'too-short',
    'no key given': 'missing',
  } as const
  return keyOpens === null ? 'not-encrypted' : states[keyOpens]
}
