import type { DatabaseSync } from 'node:sqlite'
import { nonEmptyNames, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { readLicense } from './license.ts'
import { columnsOf } from './snapshot-database.ts'

/** A secret that was in the bundle, by its presence: never its value. */
export interface InventoryEntry {
  readonly name: string
  readonly place: 'proxy.env' | 'mcp_proxy.db' | 'file' | 'elsewhere'
  /** How many there are, where they are rows. */
  readonly count?: number
  /** Who makes a new one, and where. */
  readonly rotate: string
  /** `auto`: Sealift puts a new value in place. */
  readonly how: 'auto' | 'manual'
}

/** What the inventory looks at. Everything is presence: the database is only asked whether there are rows. */
export interface InventoryInput {
  readonly env: EnvFile
  /** A snapshot. */
  readonly database?: DatabaseSync
  /** Names of files: `nginx-certs/mastio-server.key` if it is there, those in `saml-keys/`. */
  readonly keyFiles?: readonly string[]
  /** The backup passphrase lay in a file on the host. */
  readonly passphraseFile?: string
}

/** The two secrets that are only used on this host: 32 random bytes each, as hex. */
export const localSecrets = ['MCP_PROXY_ADMIN_SECRET', 'MCP_PROXY_DASHBOARD_SIGNING_KEY'] as const

const atProvider = 'the provider: make a new key there, revoke the old one'
const application = 'the application’s dashboard'
const identity = 'the identity provider of the organisation'
const known: Readonly<Record<string, string>> = {
  MCP_PROXY_ADMIN_SECRET: 'Sealift',
  MCP_PROXY_DASHBOARD_SIGNING_KEY: 'Sealift',
  MCP_PROXY_ANTHROPIC_API_KEY: atProvider,
  MCP_PROXY_DB_ENCRYPTION_KEY: 'the operator: a new Org CA, stored under a new key',
  MCP_PROXY_SECRET_ENCRYPTION_KEY_B64: 'the operator: enter the provider credentials again under a new key',
  MCP_PROXY_INITIAL_ADMIN_PASSWORD: `${application}: change the administrator’s password`,
  MCP_PROXY_VAULT_TOKEN: 'Vault: revoke the token, issue another',
  MCP_PROXY_PDP_WEBHOOK_HMAC_SECRET: 'the operator, here and at the policy service',
  MCP_PROXY_FRONTDESK_ADMIN_SECRET: 'the operator, here and at the Frontdesk',
  MCP_PROXY_MDM_INTUNE_CLIENT_SECRET: 'Entra ID: a new client secret',
  CULLIS_SCIM_BEARER_TOKEN: identity,
  CULLIS_AUDIT_EXPORT_DATADOG_API_KEY: 'Datadog: a new API key',
  CULLIS_LICENSE_KEY: 'the vendor',
  AWS_ACCESS_KEY_ID: 'AWS IAM',
  AWS_SECRET_ACCESS_KEY: 'AWS IAM',
  AWS_SESSION_TOKEN: 'AWS IAM: revoke the sessions of the role',
  AZURE_CLIENT_SECRET: 'Entra ID: a new client secret',
}
const secretName = /SECRET|KEY|TOKEN|PASSWORD|B64/

const configKeys: Readonly<Record<string, string>> = {
  org_ca_key: 'the application: rotate the Org CA; every agent is enrolled again',
  mastio_ca_key: 'the application: issue the Intermediate again',
  vault_token: 'Vault: revoke the token, issue another',
  org_secret: 'the operator, here and at the broker',
  oidc_client_secret: identity,
  secret_encryption_key_b64: 'the application: it opens the provider credentials',
  admin_password_hash: `${application}: change the administrator’s password`,
}
const agentKey = 'the application: enrol the agent again'
const secretTables: readonly (readonly [table: string, column: string, rotate: string])[] = [
  ['pki_key_store', 'ciphertext', 'the application: rotate the Org CA'],
  ['mastio_keys', 'privkey_pem', 'the application: rotate the signing key'],
  ['legacy_pki_archive', 'legacy_pem', 'the application: after a migration this is the current Org CA key'],
  ['ai_provider_credentials', 'creds_json', atProvider],
  ['user_api_tokens', 'token_hash', `${application}: revoke the tokens`],
  ['user_sessions', 'session_id', `${application}: end the sessions`],
]

/** Every secret that whoever had this bundle may know, by presence only: name, place, who rotates it. */
export function inventory({
  env,
  database,
  keyFiles = [],
  passphraseFile,
}: InventoryInput): InventoryEntry[] {
  const entries = envEntries(env)
  if (database !== undefined) entries.push(...databaseEntries(database))
  const file = (name: string, rotate: string): void => {
    entries.push({ name, place: 'file', rotate, how: 'manual' })
  }
  for (const name of keyFiles) {
    const server = name.endsWith('mastio-server.key')
    file(name, server ? 'the application: it is made again at the next start once removed' : identity)
  }
  if ((valueOf(env, 'GOOGLE_APPLICATION_CREDENTIALS') ?? '') !== '') {
    file(
      'the file behind GOOGLE_APPLICATION_CREDENTIALS',
      'Google Cloud IAM: a new key of the service account',
    )
  }
  if (passphraseFile !== undefined) {
    file(passphraseFile, 'the operator: a new passphrase; `sealift rekey` for the archives that are kept')
  }
  entries.push({
    name: 'keys on the agents’ own hosts',
    place: 'elsewhere',
    rotate: 'each agent that may be affected: enrol it again',
    how: 'manual',
  })
  return entries
}

function envEntries(env: EnvFile): InventoryEntry[] {
  const license = readLicense(env).state
  const names = nonEmptyNames(env).filter((name) => name !== 'CULLIS_LICENSE_KEY' || license === 'present')
  return names.flatMap((name): InventoryEntry[] => {
    const how = localSecrets.some((one) => one === name) ? 'auto' : 'manual'
    const rotate = known[name] ?? (/OPENAI/.test(name) && secretName.test(name) ? atProvider : undefined)
    if (rotate !== undefined) return [{ name, place: 'proxy.env', rotate, how }]
    if (!secretName.test(name) || name === 'MASTIO_SAML_KEYS_DIR') return []
    return [{ name, place: 'proxy.env', rotate: 'unclassified: the operator knows where it is from', how }]
  })
}

function databaseEntries(db: DatabaseSync): InventoryEntry[] {
  const entries: InventoryEntry[] = []
  const add = (name: string, rotate: string, count = 1): void => {
    entries.push({ name, place: 'mcp_proxy.db', count, rotate, how: 'manual' })
  }
  if (columnsOf(db, 'proxy_config').has('value')) {
    const rows = db.prepare("SELECT key FROM proxy_config WHERE coalesce(value, '') <> '' ORDER BY key").all()
    for (const { key } of rows) {
      const name = String(key)
      const rotate = name.startsWith('agent_key:') ? agentKey : configKeys[name]
      if (rotate !== undefined) add(`proxy_config.${name}`, rotate)
    }
  }
  for (const [table, column, rotate] of secretTables) {
    if (!columnsOf(db, table).has(column)) continue
    const sql = `SELECT count(*) AS n FROM ${table} WHERE coalesce(${column}, '') <> ''`
    const count = Number(db.prepare(sql).get()?.['n'])
    if (count > 0) add(`${table}.${column}`, rotate, count)
  }
  return entries
}
