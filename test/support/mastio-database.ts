import { DatabaseSync } from 'node:sqlite'
import { appendAudit, appendLocal } from './mastio-chain.ts'
import { encryptedPki } from './mastio-fernet.ts'
import type { Pki } from './mastio-pki.ts'
import { mastioSchema } from './mastio-schema.ts'
import type { Issued } from './x509-issue.ts'

/**
 * Where the Root key is: in `proxy_config`, in the key store, in both (the same or two different CAs), or nowhere
 * (an external key service).
 */
export type CaStore = 'plaintext' | 'encrypted' | 'both' | 'two' | 'none'

export interface DatabaseOptions {
  readonly pki: Pki
  readonly ca?: CaStore
  /** Of the encrypted key store. */
  readonly passphrase?: string
  /** The second CA of `two`. */
  readonly other?: Issued
  readonly head?: '0042_audit_log_v2' | '0037_audit_dev_attest'
  readonly auditRows?: number
  readonly detailBytes?: number
  /** Rows of `local_audit` for each organisation. */
  readonly local?: Readonly<Record<string, number>>
}

export const storePassphrase = 'correct horse battery staple'

/** Every secret value that the database holds besides private keys: none may be seen outside. */
export const databaseSecrets = {
  vault_token: 'planted-vault-token-1b2c',
  org_secret: 'planted-org-secret-3d4e',
  oidc_client_secret: 'planted-oidc-secret-5f60',
  secret_encryption_key_b64: 'cGxhbnRlZC1zZWNyZXQta2V5LTcxODI=',
  admin_password_hash: '$2b$12$planted-hash-9304',
  provider: 'planted-provider-credential-a1b2',
  token: 'planted-token-hash-c3d4',
} as const

/** Makes `mcp_proxy.db` in WAL mode, closed again, with the rows of a small organisation. */
export function makeMastioDatabase(path: string, options: DatabaseOptions): void {
  const { pki, ca = 'plaintext', auditRows = 12, detailBytes = 20, local = { acme: 5 } } = options
  const { head = '0042_audit_log_v2', passphrase = storePassphrase } = options
  using db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
  db.exec(`BEGIN; ${mastioSchema(head)} COMMIT`)
  db.exec('BEGIN')
  const set = db.prepare('INSERT INTO proxy_config VALUES (?, ?)')
  const { provider, token, ...config } = databaseSecrets
  for (const [key, value] of Object.entries({ ...config, org_id: pki.orgId, display_name: 'Acme' }))
    set.run(key, value)
  set.run('org_ca_cert', pki.root.cert)
  set.run('mastio_ca_cert', pki.intermediate.cert)
  set.run('mastio_ca_key', pki.intermediate.key)
  if (ca === 'plaintext' || ca === 'both' || ca === 'two') set.run('org_ca_key', pki.root.key)
  if (ca === 'encrypted' || ca === 'both' || ca === 'two') {
    const stored = ca === 'two' ? (options.other ?? pki.root) : pki.root
    db.prepare(
      "INSERT INTO pki_key_store VALUES ('k1', 'org_ca', ?, ?, '2026-01-01', '2026-01-01', NULL, NULL)",
    ).run(encryptedPki(stored, passphrase), stored.cert)
  }
  const agent = db.prepare(
    `INSERT INTO internal_agents (agent_id, display_name, cert_pem, created_at, is_active, enrollment_method, enrolled_at)
     VALUES (?, ?, ?, '2026-01-02T00:00:00+00:00', 1, 'csr', '2026-01-02T00:00:00+00:00')`,
  )
  for (const [id, { cert, key }] of Object.entries(pki.agents).slice(0, 2)) {
    agent.run(id, id, cert)
    set.run(`agent_key:${id}`, key)
  }
  const signer = pki.agents[`${pki.orgId}::carol`]
  db.prepare("INSERT INTO mastio_keys VALUES ('mastio-0011223344556677', 'x', ?, ?, '', '', NULL, '')").run(
    signer?.key ?? '',
    signer?.cert ?? '',
  )
  db.prepare("INSERT INTO ai_provider_credentials VALUES ('openai', ?, '')").run(provider)
  db.prepare("INSERT INTO user_api_tokens VALUES ('t1', 'user::dora', ?, NULL)").run(token)
  db.prepare("INSERT INTO user_sessions VALUES ('s1', 'user::dora', '2026-06-01', NULL)").run()
  db.exec('COMMIT')
  if (head === '0042_audit_log_v2') appendAudit(db, { count: auditRows, detailBytes })
  for (const [org, count] of Object.entries(local)) appendLocal(db, { count, org })
}

/** Opens a database that the test itself owns, to change it. */
export function changeDatabase(path: string, change: (db: DatabaseSync) => void): void {
  using db = new DatabaseSync(path)
  change(db)
}
