import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Proposal } from '../proposal.ts'
import { propose } from './propose.ts'

async function proposed(options: BundleOptions = {}): Promise<{ proposal: Proposal; bundle: TestBundle }> {
  await using folder = await testFolder()
  mkdirSync(folder.join('bundle'))
  const bundle = makeBundle(folder.join('bundle'), options)
  const proposal = await propose(bundle.path)
  assert.ok(proposal !== undefined)
  const told = JSON.stringify(proposal)
  for (const secret of bundle.secrets) assert.ok(!told.includes(secret), `told: ${secret}`)
  return { proposal, bundle }
}

const placesOf = ({ sources }: Proposal): Record<string, string> =>
  Object.fromEntries(sources.map(({ name, path }) => [name, path]))

test('a bundle: every part is a source, and what else lies beside the database', async () => {
  const { proposal, bundle } = await proposed()
  assert.deepEqual(placesOf(proposal), {
    data: bundle.database,
    'data-files': bundle.data,
    'nginx-certs': bundle.nginxCerts,
    certs: bundle.certs,
    config: join(bundle.path, 'proxy.env'),
  })
  assert.equal(proposal.app, 'cullis-mastio-backup')
  assert.deepEqual(
    [proposal.target, proposal.passphraseFile],
    ['/var/backups/cullis', '/etc/cullis/backup.pass'],
  )
  assert.match(proposal.about.join('\n'), /open-core edition, .*project cullis-mastio\)/)
  assert.deepEqual(proposal.findings, [])
})

test('relocated folders are found through proxy.env, and SAML keys where they are', async () => {
  const { proposal, bundle } = await proposed({ relocated: '../moved', saml: true, edition: 'enterprise' })
  assert.deepEqual(placesOf(proposal), {
    data: bundle.database,
    'data-files': bundle.data,
    'nginx-certs': bundle.nginxCerts,
    certs: bundle.certs,
    'saml-keys': bundle.samlKeys,
    config: join(bundle.path, 'proxy.env'),
  })
  assert.ok(!bundle.data.startsWith(bundle.path))
  assert.equal(proposal.app, 'cullis-mastio-enterprise-backup')
})

test('where the Org CA key is, and what no backup holds', async () => {
  const about = async (options: BundleOptions): Promise<string> =>
    (await proposed(options)).proposal.about.join('\n')
  assert.match(await about({}), /in plaintext/)
  assert.match(await about({ ca: 'encrypted' }), /encrypted with MCP_PROXY_DB_ENCRYPTION_KEY/)
  assert.match(await about({ kms: 'external' }), /key service aws.* NOT in the archives/)
  const { proposal, bundle } = await proposed({ kms: 'external' })
  const left = proposal.leftOut.map(({ what, loud }) => `${what} ${loud}`).join('\n')
  assert.match(left, /^the Org CA key in the key service aws true$/m)
  assert.ok(left.includes(`${join(bundle.path, 'backups')} false`))
  assert.match(left, /external stores .* false/)
})

test('what is wrong with the bundle is said at once', async () => {
  const { proposal } = await proposed({ database: false, leftover: true, unknown: true, certs: false })
  assert.deepEqual(
    proposal.findings.map((one) => `${one.check} ${one.class}`),
    ['database-missing hard', 'leftover-snapshot attention', 'certs-missing note'],
  )
})

test('a folder of something else is not taken for one, and PostgreSQL is refused', async () => {
  await using folder = await testFolder()
  assert.equal(await propose(folder.path), undefined)
  mkdirSync(folder.join('proxy.env'))
  assert.equal(await propose(folder.path), undefined)
  rmdirSync(folder.join('proxy.env'))
  writeFileSync(folder.join('proxy.env'), 'HTTP_PROXY=http://proxy.acme.test\n')
  assert.equal(await propose(folder.path), undefined)
  writeFileSync(folder.join('proxy.env'), 'MCP_PROXY_DATABASE_URL=postgres://u@db/x\n')
  await assert.rejects(propose(folder.path), { code: 'GUARD_REFUSED' })
})
