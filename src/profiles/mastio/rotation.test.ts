import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { rotatedRoot, testPki } from '../../../test/support/mastio-pki.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Rotation } from '../response.ts'
import { fingerprint } from './pki.ts'
import { rotationOf } from './rotation.ts'

const pki = testPki({ lineage: 'rotation' })
const fresh = rotatedRoot(pki)

/** What is told after the application put another Root into the rows that it keeps it in. */
async function told(options: BundleOptions, change?: (bundle: TestBundle) => void): Promise<Rotation> {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, { ...options, pki })
  change?.(bundle)
  const places = { data: bundle.database, 'nginx-certs': bundle.nginxCerts, certs: bundle.certs }
  const rotation = await rotationOf(
    new Map([...Object.entries(places), ['config', `${bundle.path}/proxy.env`]]),
  )
  assert.deepEqual(readdirSync(bundle.data), ['mcp_proxy.db'])
  for (const secret of [...bundle.secrets, fresh.key]) assert.ok(!JSON.stringify(rotation).includes(secret))
  return rotation
}

function rotate({ database }: TestBundle): void {
  changeDatabase(database, (db) => {
    const set = db.prepare('INSERT OR REPLACE INTO proxy_config VALUES (?, ?)')
    set.run('org_ca_cert', fresh.cert)
    set.run('org_ca_key', fresh.key)
  })
}

const words = ({ findings }: Rotation): string[] => findings.map((one) => `${one.check} ${one.class}`)

test('a CA that did not change leaves nobody to enrol again', async () => {
  const rotation = await told({})
  assert.equal(rotation.current, fingerprint(new X509Certificate(pki.root.cert)))
  assert.deepEqual(words(rotation), ['ca-store note', 'ca-key note'])
  assert.deepEqual(rotation.identities, [])
  assert.equal(rotation.next.length, 2)
})

test('after a rotation the old Intermediate is not under the Root, and every agent must be enrolled again', async () => {
  const rotation = await told({}, rotate)
  assert.equal(rotation.current, fingerprint(new X509Certificate(fresh.cert)))
  assert.ok(words(rotation).includes('intermediate attention'))
  assert.match(rotation.findings[1]?.detail ?? '', /yes/)
  assert.deepEqual(
    rotation.identities.map(({ id, server_held }) => [id, server_held]),
    Object.keys(pki.agents)
      .slice(0, 2)
      .map((id) => [id, true]),
  )
  assert.ok(rotation.next.some((line) => line.includes('Intermediate')))
})

test('an encrypted store has the old Root until the next start', async () => {
  const rotation = await told({ ca: 'encrypted' }, rotate)
  assert.equal(rotation.current, fingerprint(new X509Certificate(fresh.cert)))
  assert.ok(words(rotation).includes('ca-store-behind attention'))
  assert.match(rotation.next[0] ?? '', /start the application again/)
})

test('without a database nothing is known', async () => {
  assert.equal((await rotationOf(new Map())).current, null)
})
