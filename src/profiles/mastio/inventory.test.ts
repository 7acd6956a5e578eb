import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { readEnv } from './env-file.ts'
import { inventory } from './inventory.ts'
import { openSnapshot } from './snapshot-database.ts'

test('the inventory lists every planted secret with its place, and no value', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, {
    ca: 'both',
    env: [
      'GOOGLE_APPLICATION_CREDENTIALS=/gcp.json',
      'MCP_PROXY_OPENAI_API_KEY=sk-planted-0',
      'AWS_SESSION_TOKEN=',
    ],
  })
  using db = openSnapshot(bundle.database)
  const entries = inventory({
    env: readEnv(bundle.env),
    database: db,
    keyFiles: ['nginx-certs/mastio-server.key', 'saml-keys/saml.key'],
    passphraseFile: '/etc/cullis/backup.pass',
  })
  const agents = Object.keys(bundle.pki.agents).slice(0, 2)
  const expected = `MCP_PROXY_ADMIN_SECRET MCP_PROXY_DASHBOARD_SIGNING_KEY MCP_PROXY_ANTHROPIC_API_KEY
    MCP_PROXY_OPENAI_API_KEY MCP_PROXY_VAULT_TOKEN MCP_PROXY_DB_ENCRYPTION_KEY AWS_SECRET_ACCESS_KEY ACME_PLUGIN_TOKEN
    CULLIS_LICENSE_KEY proxy_config.org_ca_key proxy_config.mastio_ca_key proxy_config.vault_token
    proxy_config.org_secret proxy_config.oidc_client_secret proxy_config.secret_encryption_key_b64
    proxy_config.admin_password_hash proxy_config.agent_key:${agents[0]} proxy_config.agent_key:${agents[1]}
    pki_key_store.ciphertext mastio_keys.privkey_pem user_sessions.session_id ai_provider_credentials.creds_json
    user_api_tokens.token_hash nginx-certs/mastio-server.key saml-keys/saml.key /etc/cullis/backup.pass`.split(
    /\s+/,
  )
  expected.push('the file behind GOOGLE_APPLICATION_CREDENTIALS', 'keys on the agents’ own hosts')
  assert.deepEqual(entries.map(({ name }) => name).toSorted(), expected.toSorted())
  const auto = entries.filter(({ how }) => how === 'auto').map(({ name }) => name)
  assert.deepEqual(auto, ['MCP_PROXY_ADMIN_SECRET', 'MCP_PROXY_DASHBOARD_SIGNING_KEY'])
  assert.match(entries.find(({ name }) => name === 'ACME_PLUGIN_TOKEN')?.rotate ?? '', /^unclassified/)
  const told = JSON.stringify(entries)
  for (const secret of [...bundle.secrets, 'sk-planted-0', 'gcp.json'])
    assert.ok(!told.includes(secret), secret)
})
