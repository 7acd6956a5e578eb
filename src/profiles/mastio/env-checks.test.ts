import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkEnv } from './env-checks.ts'
import { differingKeys, readEnv, valueOf, withKey } from './env-file.ts'
import type { Surroundings } from './env-surroundings.ts'
import { withPublicUrl } from './env-urls.ts'
import type { FindingClass } from './finding.ts'

const { signal } = new AbortController()
const secret = 'c0ffee'.repeat(8)
const good = [
  'MCP_PROXY_ENVIRONMENT=development',
  `MCP_PROXY_ADMIN_SECRET=${secret}`,
  `MCP_PROXY_DASHBOARD_SIGNING_KEY=${secret}`,
  'MCP_PROXY_PROXY_PUBLIC_URL=https://mastio.acme.test:9443',
  'MCP_PROXY_NGINX_SAN=mastio.acme.test,localhost,10.0.0.7',
  'MCP_PROXY_PORT=9443',
  '',
].join('\n')
const compose = 'services:\n  mcp-proxy:\n    environment:\n      A: ${A}\n'
const around: Surroundings = {
  now: new Date('2026-05-14T10:30:25Z'),
  host: 'mastio.acme.test',
  compose,
  serverNames: ['mastio.acme.test', 'localhost', '10.0.0.7'],
  databaseBytes: 495_616,
  pkiKey: 'not-encrypted',
}

/** Findings of the good file with some keys set otherwise: `check class`, without the checks on how it is written. */
async function check(edits: Record<string, string>, more: Partial<Surroundings> = {}): Promise<string[]> {
  const text = Object.entries(edits).reduce((text, [key, value]) => withKey(text, key, value), good)
  const found = await checkEnv(readEnv(text), { ...around, ...more }, signal)
  for (const { detail } of found) assert.doesNotMatch(detail, /c0ffee|hunter2/)
  return found.map((one) => `${one.check} ${one.class}`)
}

test('a good file has no finding', async () => {
  assert.deepEqual(await check({}), [])
})

const url = 'MCP_PROXY_PROXY_PUBLIC_URL'
const dbKey = 'MCP_PROXY_DB_ENCRYPTION_KEY'
const production = {
  MCP_PROXY_ENVIRONMENT: 'production',
  MCP_PROXY_SECRET_BACKEND: 'vault',
  MCP_PROXY_KMS_BACKEND: 'aws',
  [dbKey]: secret,
}
const passing = { compose: `${compose}      ${dbKey}: x\n` }
type Case = [string, Record<string, string>, Partial<Surroundings>, string, FindingClass | 'none']
const cases: Case[] = [
  ['the public URL is empty', { [url]: '' }, {}, 'public-url', 'fail'],
  ['the public URL is none', { [url]: 'mastio' }, {}, 'public-url', 'fail'],
  ['it is http', { [url]: 'http://mastio.acme.test:9443' }, {}, 'public-url-plain', 'attention'],
  [
    'it is http in production',
    { ...production, [url]: 'http://mastio.acme.test:9443' },
    passing,
    'public-url-plain',
    'fail',
  ],
  ['it names another host', { [url]: 'https://old.acme.test:9443' }, {}, 'public-url-host', 'fail'],
  [
    'it names the host in capitals',
    { [url]: 'https://MASTIO.acme.test:9443' },
    {},
    'public-url-host',
    'none',
  ],
  [
    'it is localhost in production',
    { ...production, [url]: 'https://localhost:9443' },
    { host: 'localhost' },
    'public-url-local',
    'fail',
  ],
  [
    'it is the old default in production',
    { ...production, [url]: 'http://localhost:9100' },
    { host: 'localhost' },
    'public-url-local',
    'fail',
  ],
  [
    'it is the alias of the container in production',
    { ...production, [url]: 'https://host.docker.internal:9443' },
    { host: 'host.docker.internal' },
    'public-url-local',
    'fail',
  ],
  [
    'it is localhost for a trial',
    { [url]: 'https://localhost:9443' },
    { host: 'localhost' },
    'public-url-local',
    'attention',
  ],
  ['another port', { [url]: 'https://mastio.acme.test:9444' }, {}, 'public-url-port', 'fail'],
  ['the default port', { MCP_PROXY_PORT: '' }, {}, 'public-url-port', 'none'],
  ['port 443 behind a balancer', { [url]: 'https://mastio.acme.test' }, {}, 'public-url-port', 'note'],
  [
    'the SAN list lacks the new host',
    { MCP_PROXY_NGINX_SAN: 'localhost' },
    { newHost: true },
    'san-host',
    'fail',
  ],
  ['the SAN list lacks the host', { MCP_PROXY_NGINX_SAN: 'localhost' }, {}, 'san-host', 'attention'],
  ['the default SAN list lacks the host', { MCP_PROXY_NGINX_SAN: '' }, {}, 'san-host', 'attention'],
  ['the certificate has other names', {}, { serverNames: ['localhost'] }, 'san-certificate', 'note'],
  [
    'the certificate has the host that a newer version added',
    { MCP_PROXY_NGINX_SAN: 'localhost,10.0.0.7' },
    {},
    'san-certificate',
    'none',
  ],
  [
    'the shipped admin secret',
    { MCP_PROXY_ADMIN_SECRET: 'change-me-in-production' },
    {},
    'admin-secret',
    'fail',
  ],
  ['an empty admin secret', { MCP_PROXY_ADMIN_SECRET: '' }, {}, 'admin-secret', 'fail'],
  ['an empty signing key', { MCP_PROXY_DASHBOARD_SIGNING_KEY: '' }, {}, 'signing-key', 'fail'],
  ['production as it must be', production, passing, 'production', 'none'],
  [
    'production without Vault',
    { ...production, MCP_PROXY_SECRET_BACKEND: 'env' },
    passing,
    'production',
    'fail',
  ],
  [
    'production with a local key',
    { ...production, MCP_PROXY_KMS_BACKEND: 'local' },
    passing,
    'production',
    'fail',
  ],
  [
    'production with a short key',
    { ...production, [dbKey]: 'hunter2hunter2hunter2hunter2x' },
    passing,
    'production',
    'fail',
  ],
  ['the key store opens', { [dbKey]: secret }, { ...passing, pkiKey: 'opens' }, 'pki-key', 'none'],
  ['the key store does not open', { [dbKey]: secret }, { ...passing, pkiKey: 'wrong' }, 'pki-key', 'fail'],
  ['the key of the key store is missing', {}, { pkiKey: 'missing' }, 'pki-key', 'fail'],
  [
    'the key of the key store is short',
    { [dbKey]: 'hunter2' },
    { ...passing, pkiKey: 'too-short' },
    'pki-key',
    'fail',
  ],
  ['the key is passed by Compose', { [dbKey]: secret }, passing, 'pki-key-not-passed', 'none'],
  [
    'the key is passed with the whole file',
    { [dbKey]: secret },
    { compose: `${compose}    env_file: proxy.env\n` },
    'pki-key-not-passed',
    'none',
  ],
  ['the key is not passed by Compose', { [dbKey]: secret }, {}, 'pki-key-not-passed', 'fail'],
  [
    'the key is passed in a comment only',
    { [dbKey]: secret },
    { compose: `${compose}      # ${dbKey}: x\n` },
    'pki-key-not-passed',
    'fail',
  ],
  [
    'PostgreSQL beside a file',
    { MCP_PROXY_DATABASE_URL: 'postgresql+asyncpg://u:hunter2@db/x' },
    {},
    'database-url',
    'fail',
  ],
  [
    'PostgreSQL alone',
    { MCP_PROXY_DATABASE_URL: 'postgres://u:hunter2@db/x' },
    { databaseBytes: 0 },
    'database-url',
    'none',
  ],
  [
    'a redacted license',
    { CULLIS_LICENSE_KEY: 'REDACTED-RECOVER-FROM-CULLIS-SECURITY' },
    {},
    'license-redacted',
    'fail',
  ],
]
for (const [what, edits, more, name, weight] of cases) {
  test(`proxy.env: ${what}: ${name} ${weight}`, async () => {
    const found = await check(edits, more)
    if (weight === 'none') assert.ok(!found.some((one) => one.startsWith(`${name} `)), found.join('; '))
    else assert.ok(found.includes(`${name} ${weight}`), found.join('; '))
  })
}

test('what must resolve from the new host is listed, tried where it can be, and no value is told', async () => {
  const text = `${good}MCP_PROXY_VAULT_ADDR=https://vault.hunter2.test:8200\nCULLIS_CLOUD_KMS_KEY=arn:hunter2\nAWS_REGION=x
AWS_ENDPOINT_URL=http://aws.hunter2.test\nGOOGLE_APPLICATION_CREDENTIALS=/hunter2/gcp.json\nCULLIS_LICENSE_PATH=/hunter2/l\nOTHER_URL=http://x\n`
  const tried: string[] = []
  const found = await checkEnv(
    readEnv(text),
    {
      ...around,
      reaches: async (reference) => {
        if (reference.kind === 'server') tried.push(`${reference.host}:${reference.port}`)
        if (reference.kind === 'file') tried.push(reference.path)
        return Promise.resolve(reference.key === 'MCP_PROXY_VAULT_ADDR')
      },
    },
    signal,
  )
  assert.deepEqual(tried, [
    'aws.hunter2.test:80',
    '/hunter2/l',
    '/hunter2/gcp.json',
    'vault.hunter2.test:8200',
  ])
  assert.deepEqual(
    found.map(({ class: weight, detail }) => `${weight} ${detail.split(' ')[0] ?? ''}`),
    [
      'attention AWS_ENDPOINT_URL',
      'note AWS_REGION',
      'note CULLIS_CLOUD_KMS_KEY',
      'attention CULLIS_LICENSE_PATH',
      'attention GOOGLE_APPLICATION_CREDENTIALS',
      'note MCP_PROXY_VAULT_ADDR',
    ],
  )
  for (const { detail } of found) assert.doesNotMatch(detail, /hunter2/)
})

test('a new public URL changes the URL and the SAN list, and nothing else', () => {
  const changed = withPublicUrl(good, 'https://new.acme.test:9443/')
  assert.deepEqual(differingKeys(readEnv(good), readEnv(changed)), ['MCP_PROXY_NGINX_SAN', url])
  assert.equal(valueOf(readEnv(changed), url), 'https://new.acme.test:9443')
  assert.equal(
    valueOf(readEnv(changed), 'MCP_PROXY_NGINX_SAN'),
    'new.acme.test,mastio.acme.test,localhost,10.0.0.7',
  )
  const fromDefault = withPublicUrl('', 'https://[2001:DB8::1]:9443')
  assert.match(fromDefault, /^MCP_PROXY_NGINX_SAN=2001:db8::1,mastio\.local,localhost,.*mcp-proxy$/m)
  assert.match(fromDefault, /^MCP_PROXY_PROXY_PUBLIC_URL=https:\/\/\[2001:db8::1\]:9443$/m)
  for (const wrong of ['http://x', 'x', 'https://x/path', 'https://u@x', 'https://x?a']) {
    assert.throws(() => withPublicUrl(good, wrong), { code: 'USAGE' })
  }
})
