import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeBundle, testLicense } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { appendAudit } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { livePlaces, manifestOf, snapshotTo } from '../../../test/support/mastio-places.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Facts } from '../../manifest.ts'
import type { Examination, Examined } from '../examination.ts'
import { mastio } from './mastio.ts'

const { signal } = new AbortController()

type Change = (bundle: TestBundle, places: Map<string, string>) => Partial<Examined> | void

async function examined(
  options: BundleOptions = {},
  change: Change = () => {},
): Promise<Examination & { names: string[] }> {
  await using folder = await testFolder()
  mkdirSync(folder.join('bundle'))
  const bundle = makeBundle(folder.join('bundle'), options)
  const live = livePlaces(bundle)
  const places = new Map(live)
  places.delete('saml-keys')
  if (places.has('data')) places.set('data', await snapshotTo(folder.join('copy.db'), bundle.database))
  const more = change(bundle, places) ?? {}
  const input: Examined = {
    places,
    stage: 'backup',
    live,
    redacted: true,
    takenAt: new Date('2026-05-14T10:30:25Z'),
    ...more,
  }
  const examination = await mastio.examine?.(input, signal)
  assert.ok(examination !== undefined)
  const told = JSON.stringify(examination)
  for (const secret of bundle.secrets) assert.ok(!told.includes(secret), `told: ${secret}`)
  return { ...examination, names: examination.findings.map((one) => `${one.check} ${one.class}`) }
}

test('a bundle at its backup: the facts stand at the database, and only the plaintext key is noted', async () => {
  const { source, facts, names } = await examined()
  assert.equal(source, 'data')
  assert.deepEqual(names, ['ca-key-plaintext note'])
  assert.deepEqual(
    [facts['edition'], facts['bundle_version'], facts['license'], facts['ca_mode'], facts['snapshot_at']],
    ['open-core', '0.4.4', 'redacted', 'plaintext-db', '2026-05-14T10:30:25.000Z'],
  )
  assert.match(JSON.stringify(facts['exclusions']), /external stores/)
  const enterprise = await examined({ edition: 'enterprise' }, () => ({ redacted: false }))
  assert.deepEqual([enterprise.facts['edition'], enterprise.facts['license']], ['enterprise', 'kept'])
})

test('what lies beside the database is looked at where it lives', async () => {
  const options = { leftover: true, unknown: true, locks: true }
  const { names } = await examined(options, (bundle, places) => void places.set('data-files', bundle.data))
  const beside = ['leftover-snapshot attention', 'unknown-data-file note']
  assert.deepEqual(names, [...beside, 'ca-key-plaintext note'])
  const without = await examined(options)
  assert.deepEqual(without.names, [...beside, 'source-missing attention', 'ca-key-plaintext note'])
})

test('a configuration that does not take what proxy.env names', async () => {
  const left = (bundle: TestBundle): string => join(bundle.path, 'left')
  const { names } = await examined({ relocated: 'moved', saml: true }, (bundle, places) => {
    mkdirSync(left(bundle))
    copyFileSync(bundle.database, join(left(bundle), 'mcp_proxy.db'))
    mkdirSync(join(left(bundle), 'certs'))
    const live = new Map(places).set('data', join(left(bundle), 'mcp_proxy.db'))
    return { live: live.set('certs', join(left(bundle), 'certs')) }
  })
  assert.deepEqual(names, [
    'source-elsewhere fail',
    'source-elsewhere attention',
    'source-missing attention',
    'ca-key-plaintext note',
  ])
})

test('a pair of the server that was renewed while it was read is read once more, and only once', async () => {
  const { names } = await examined({}, (bundle) => {
    const key = join(bundle.nginxCerts, 'mastio-server.key')
    rmSync(key)
    copyFileSync(join(bundle.nginxCerts, 'org-ca.crt'), key)
  })
  assert.deepEqual(names, ['ca-key-plaintext note', 'server-key attention'])
})

test('staged data is compared with the facts of its archive, a foreign archive has none', async () => {
  const { facts } = await examined()
  const restored = (recorded: Facts, change: Change = () => {}): ReturnType<typeof examined> =>
    examined({}, (...given) => ({
      stage: 'restore',
      manifest: manifestOf(recorded),
      ...change(...given),
    }))
  assert.deepEqual((await restored(facts)).names, ['ca-key-plaintext note'])
  assert.deepEqual((await restored({})).names, ['ca-key-plaintext note'])
  const other = await restored({ ...facts, agents_total: 3, ca_fingerprint_sha256: '00' })
  assert.deepEqual(other.names, ['facts-differ fail', 'ca-key-plaintext note'])
  assert.match(other.findings[0]?.detail ?? '', /: ca_fingerprint_sha256, agents_total differ$/)
  const grown = await restored(facts, (_bundle, places) => {
    changeDatabase(places.get('data') ?? '', (db) => {
      appendAudit(db, { count: 1 })
      db.exec('PRAGMA journal_mode = DELETE')
    })
  })
  assert.match(grown.findings[0]?.detail ?? '', /: audit_log_head differ$/)
})

test('only a part is restored: nothing is missed that it could not tell', async () => {
  const external = await examined({ kms: 'external' })
  const { names } = await examined({ kms: 'external' }, (_bundle, places) => {
    for (const name of ['config', 'nginx-certs', 'certs']) places.delete(name)
    return { stage: 'restore', manifest: manifestOf(external.facts) }
  })
  assert.deepEqual(names, ['server-certificate note'])
  const without = await examined({}, (_bundle, places) => {
    places.delete('data')
    return { stage: 'restore', manifest: manifestOf(external.facts) }
  })
  assert.deepEqual([without.names, without.facts], [[], {}])
})

test('the license leaves proxy.env on its way into the archive, and nothing else changes', () => {
  const text = `A=\u00E9\nCULLIS_LICENSE_KEY=${testLicense}\n  export CULLIS_LICENSE_KEY="${testLicense}"\n# was ${testLicense}\n`
  const rewrite = mastio.rewrite?.('config', 'proxy.env')
  const written = rewrite?.(Buffer.from(text)).toString() ?? ''
  assert.equal(written.split('REDACTED-RECOVER-FROM-CULLIS-SECURITY').length, 4)
  assert.ok(!written.includes(testLicense))
  assert.ok(written.startsWith('A=\u00E9\n'))
  assert.equal(mastio.rewrite?.('certs', 'org-id'), undefined)
})

test('the folder of the application is that of proxy.env', () => {
  assert.equal(mastio.folder?.(manifestOf({})), '/srv/mastio')
  assert.equal(mastio.folder({ ...manifestOf({}), sources: [] }), undefined)
})
