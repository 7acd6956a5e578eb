import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join, matchesGlob } from 'node:path'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { readBundle } from './bundle.ts'
import type { Bundle } from './bundle.ts'
import { readEnv } from './env-file.ts'
import { dataFileKind, editionOf, excludedInData } from './layout.ts'

async function read(options: BundleOptions = {}): Promise<{ bundle: Bundle; made: TestBundle }> {
  await using folder = await testFolder()
  const made = makeBundle(folder.path, options)
  return { made, bundle: await readBundle(folder.path) }
}
const names = ({ findings }: Bundle): string[] => findings.map((one) => `${one.check} ${one.class}`)

test('a plain bundle: its sources beside it, the open edition, nothing to say', async () => {
  const { bundle, made } = await read()
  assert.deepEqual(bundle.sources, [
    { name: 'data', kind: 'sqlite', path: made.database },
    { name: 'nginx-certs', kind: 'files', path: made.nginxCerts },
    { name: 'certs', kind: 'files', path: made.certs },
    { name: 'config', kind: 'files', path: join(made.path, 'proxy.env') },
  ])
  const { edition, project, version } = bundle
  assert.deepEqual([edition, project, version], ['open-core', 'cullis-mastio', '0.4.4'])
  assert.deepEqual(names(bundle), [])
})

test('folders that proxy.env puts elsewhere are found there, relative and absolute', async () => {
  for (const relocated of ['../elsewhere', 'deep/er']) {
    await using outer = await testFolder()
    const inside = outer.join('bundle')
    const { mkdir } = await import('node:fs/promises')
    await mkdir(inside)
    const made = makeBundle(inside, { relocated, saml: true })
    const { sources } = await readBundle(inside)
    assert.deepEqual(
      sources.map((source) => source.path),
      [made.database, made.nginxCerts, made.certs, made.samlKeys, join(inside, 'proxy.env')],
    )
    assert.ok(made.database.startsWith(join(inside, relocated)))
  }
  await using folder = await testFolder()
  await using other = await testFolder()
  const made = makeBundle(folder.path, { relocated: other.path })
  assert.equal((await readBundle(folder.path)).sources[0]?.path, other.join('data', 'mcp_proxy.db'))
  assert.equal(made.data, other.join('data'))
})

test('the enterprise edition is told by project, image or SAML folder, and its keys are a source if they are there', async () => {
  const { bundle } = await read({ edition: 'enterprise', saml: true })
  assert.deepEqual([bundle.edition, bundle.project], ['enterprise', 'cullis-mastio-enterprise'])
  assert.ok(bundle.sources.some(({ name }) => name === 'saml-keys'))
  const without = await read({ edition: 'enterprise' })
  assert.ok(!without.bundle.sources.some(({ name }) => name === 'saml-keys'))
  assert.equal(editionOf(readEnv('COMPOSE_PROJECT_NAME=cullis-mastio-enterprise\n'), ''), 'enterprise')
  assert.equal(editionOf(readEnv(''), 'name: cullis-mastio-enterprise\n'), 'enterprise')
  assert.equal(editionOf(readEnv(''), '# about cullis-mastio-enterprise\n'), 'open-core')
  assert.equal(editionOf(readEnv('MASTIO_SAML_KEYS_DIR=./saml-keys\n'), ''), 'enterprise')
})

test('locks, sidecars and a leftover snapshot stay out, an unknown file is noted', async () => {
  const { bundle } = await read({ locks: true, leftover: true, unknown: true })
  assert.deepEqual(names(bundle), ['leftover-snapshot attention', 'unknown-data-file note'])
  assert.deepEqual(bundle.unknownData, ['notes.txt'])
  const out = ['mcp_proxy.db-wal', 'mcp_proxy.db-shm', 'mcp_proxy.db-journal', 'mcp_proxy.db.alembic.lock']
  for (const name of [...out, 'mcp_proxy.db.snapshot', 'mcp_proxy.db.snapshot-wal']) {
    assert.notEqual(dataFileKind(name), 'unknown', name)
    assert.ok(
      excludedInData.some((pattern) => matchesGlob(name, pattern)),
      name,
    )
  }
  for (const name of ['notes.txt', 'mcp_proxy.db.bak', '.hidden']) {
    assert.equal(dataFileKind(name), 'unknown', name)
    assert.ok(!excludedInData.some((pattern) => matchesGlob(name, pattern)), name)
  }
})

test('a bundle without its database, without certs, without proxy.env', async () => {
  const { bundle } = await read({ database: false, certs: false })
  assert.deepEqual(names(bundle), ['database-missing hard', 'certs-missing note'])
  await using folder = await testFolder()
  makeBundle(folder.path)
  await rm(folder.join('nginx-certs'), { recursive: true })
  assert.deepEqual(names(await readBundle(folder.path)), ['nginx-certs-missing attention'])
  await rm(folder.join('proxy.env'))
  await assert.rejects(readBundle(folder.path), { code: 'SOURCE_NOT_FOUND' })
})

test('what is not backed up is listed: stores, the key service, the license file', async () => {
  const { bundle } = await read({ kms: 'external', env: ['CULLIS_LICENSE_PATH=/etc/cullis/license'] })
  const listed = bundle.exclusions.map(({ what }) => what).join('\n')
  assert.match(listed, /external stores/)
  assert.match(listed, /key service aws/)
  assert.match(listed, /backups\//)
  assert.match(listed, /nginx\/\*\.conf/)
  assert.match(listed, /CULLIS_LICENSE_PATH/)
  assert.doesNotMatch(
    (await read()).bundle.exclusions.map(({ what }) => what).join('\n'),
    /key service|LICENSE/,
  )
})

test('PostgreSQL is refused', async () => {
  await using folder = await testFolder()
  await writeFile(folder.join('proxy.env'), 'MCP_PROXY_DATABASE_URL=postgresql+asyncpg://u:hunter2@db/x\n')
  await assert.rejects(readBundle(folder.path), (error: Error) => {
    assert.match(error.message, /SQLite backup only/)
    assert.doesNotMatch(error.message, /hunter2/)
    return 'code' in error && error.code === 'GUARD_REFUSED'
  })
})
