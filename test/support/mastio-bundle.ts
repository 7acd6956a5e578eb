import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseSecrets, makeMastioDatabase, storePassphrase } from './mastio-database.ts'
import type { DatabaseOptions } from './mastio-database.ts'
import { testPki } from './mastio-pki.ts'
import type { Pki } from './mastio-pki.ts'

/** What a test wants of its bundle; without anything, a plain open-core bundle that has no finding but notes. */
export interface BundleOptions extends Partial<DatabaseOptions> {
  readonly edition?: 'open-core' | 'enterprise'
  /** Where the four folders lie, relative to the bundle or absolute; `proxy.env` says so. */
  readonly relocated?: string
  /** `external`: `MCP_PROXY_KMS_BACKEND=aws` and no key in the database. */
  readonly kms?: 'external'
  readonly database?: boolean
  readonly certs?: boolean
  readonly saml?: boolean
  readonly license?: string
  /** Further lines of `proxy.env`. */
  readonly env?: readonly string[]
  readonly locks?: boolean
  readonly leftover?: boolean
  readonly unknown?: boolean
  readonly host?: string
}

export interface TestBundle {
  readonly path: string
  readonly pki: Pki
  readonly env: string
  readonly database: string
  readonly data: string
  readonly nginxCerts: string
  readonly certs: string
  readonly samlKeys: string
  /** Values that must be seen nowhere outside: keys, tokens, the license. */
  readonly secrets: readonly string[]
}

/** A token of the right shape, issued in May 2026. */
export const testLicense = [
  'eyJhbGciOiJSUzI1NiJ9',
  Buffer.from(JSON.stringify({ sub: 'acme', iat: 1_778_000_000 })).toString('base64url'),
  'cGxhbnRlZC1saWNlbnNlLXNpZ25hdHVyZQ',
].join('.')

const envSecrets = {
  MCP_PROXY_ADMIN_SECRET: 'planted-admin-secret-0a1b',
  MCP_PROXY_DASHBOARD_SIGNING_KEY: 'planted-signing-key-2c3d',
  MCP_PROXY_ANTHROPIC_API_KEY: 'planted-anthropic-key-4e5f',
  MCP_PROXY_VAULT_TOKEN: 'planted-vault-token-6071',
  AWS_SECRET_ACCESS_KEY: 'planted-aws-secret-8293',
  ACME_PLUGIN_TOKEN: 'planted-plugin-token-a4b5',
}

/** Makes a bundle of the application's shape in `path`, which must exist. Nothing of the vendor is in it. */
export function makeBundle(path: string, options: BundleOptions = {}): TestBundle {
  const {
    edition = 'open-core',
    relocated,
    host = 'mastio.acme.test',
    ca = options.kms ? 'none' : 'plaintext',
  } = options
  const { pki = testPki({ sans: [host, 'localhost', 'mcp-proxy'] }), license = testLicense } = options
  const place = (name: string): string =>
    relocated === undefined
      ? join(path, name)
      : join(relocated.startsWith('/') ? relocated : join(path, relocated), name)
  const folder = (name: string, mode: number): string => {
    mkdirSync(place(name), { recursive: true, mode })
    return place(name)
  }
  const data = folder('data', 0o750)
  const nginxCerts = folder('nginx-certs', 0o750)
  const database = join(data, 'mcp_proxy.db')
  if (options.database !== false) makeMastioDatabase(database, { ...options, pki, ca })
  put(join(nginxCerts, 'org-ca.crt'), `${pki.root.cert}${pki.intermediate.cert}`, 0o644)
  put(join(nginxCerts, 'mastio-server.crt'), pki.server.cert, 0o644)
  put(join(nginxCerts, 'mastio-server.key'), pki.server.key, 0o600)
  put(join(nginxCerts, '.generation'), '7\n', 0o644)
  if (options.certs !== false) {
    put(join(folder('certs', 0o755), 'org-ca.pem'), pki.root.cert, 0o644)
    put(join(place('certs'), 'org-id'), `${pki.orgId}\n`, 0o644)
  }
  if (options.saml === true) {
    put(join(folder('saml-keys', 0o750), 'saml.key'), pki.server.key, 0o600)
    put(join(place('saml-keys'), 'saml.crt'), pki.server.cert, 0o644)
  }
  if (options.locks === true) for (const task of lockTasks) put(`${database}.${task}.lock`, '', 0o644)
  if (options.leftover === true) put(`${database}.snapshot`, 'SQLite format 3\0planted', 0o644)
  if (options.unknown === true) put(join(data, 'notes.txt'), 'of the operator\n', 0o644)
  const compose = `services:\n  init-permissions:\n    image: busybox:stable\n  mcp-proxy:
    image: ghcr.io/cullis-security/cullis-mastio${edition === 'enterprise' ? '-enterprise' : ''}:\${CULLIS_MASTIO_VERSION:-latest}
    environment:\n      MCP_PROXY_ADMIN_SECRET: \${MCP_PROXY_ADMIN_SECRET}\n  mastio-nginx:\n    image: nginx:1.27-alpine\n`
  put(join(path, 'docker-compose.yml'), compose, 0o644)
  const env = [
    '# proxy.env of a synthetic bundle',
    'MCP_PROXY_ENVIRONMENT=development',
    'CULLIS_MASTIO_VERSION=0.4.4',
    `MCP_PROXY_PROXY_PUBLIC_URL=https://${host}:9443`,
    `MCP_PROXY_NGINX_SAN=${host},localhost,mcp-proxy`,
    ...Object.entries(envSecrets).map(([key, value]) => `${key}=${value}`),
    `CULLIS_LICENSE_KEY=${license}`,
    ...(options.kms === undefined ? [] : ['MCP_PROXY_KMS_BACKEND=aws']),
    ...(ca === 'encrypted' || ca === 'both' || ca === 'two'
      ? [`MCP_PROXY_DB_ENCRYPTION_KEY="${options.passphrase ?? storePassphrase}"`]
      : []),
    ...(relocated === undefined
      ? []
      : [
          `MASTIO_DATA_DIR=${relocated}/data`,
          `MASTIO_NGINX_CERTS_DIR=${relocated}/nginx-certs`,
          `CULLIS_CERTS_DIR=${relocated}/certs`,
          `MASTIO_SAML_KEYS_DIR=${relocated}/saml-keys`,
        ]),
    ...(options.env ?? []),
    '',
  ].join('\n')
  put(join(path, 'proxy.env'), env, 0o644)
  // As the application leaves it, where the test may do so.
  if (process.getuid?.() === 0) for (const owned of [data, nginxCerts, database]) chown(owned)
  const keys = [pki.root, pki.intermediate, pki.server, ...Object.values(pki.agents)].flatMap(keyLines)
  const secrets = [
    ...Object.values(envSecrets),
    ...Object.values(databaseSecrets),
    ...(license === '' ? [] : [license]),
    storePassphrase,
    ...keys,
  ]
  const { certs, samlKeys } = { certs: place('certs'), samlKeys: place('saml-keys') }
  return { path, pki, env, database, data, nginxCerts, certs, samlKeys, secrets }
}

const lockTasks = [
  'alembic',
  'agent_cert_grace_cleanup',
  'anomaly_evaluator',
  'attestation_stale_watcher',
  'cert_expiry_watcher',
  'local_sweeper',
  'mastio_ca_rotation_watcher',
  'nginx_cert_watcher',
  'quarantine_expiry',
]

function put(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { mode })
}

function chown(path: string): void {
  try {
    chownSync(path, 10001, 10001)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

/** The lines of base64 of a private key: any of them seen outside is a leak. */
function keyLines({ key }: { readonly key: string }): string[] {
  return key.split('\n').filter((line) => line.length > 40)
}
