import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { changeDatabase } from '../support/mastio-database.ts'
import { appendAudit } from '../support/mastio-chain.ts'
import type { BundleOptions } from '../support/mastio-bundle.ts'
import { freshLicense, initialise } from '../support/mastio-initialised.ts'
import { installMastio } from '../support/mastio-installation.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { snapshotTo } from '../support/mastio-places.ts'
import { filesIn } from '../support/mastio-residue.ts'
import { sealift } from '../support/journey-program.ts'

/** From a bundle to a configuration, an archive, and back (mastio.md §2, §13: check 4). */

/** Every member of the newest archive. */
async function membersOf(at: Installation): Promise<string[]> {
  const { stdout, stderr } = await at.run('show', 'latest', '--members', '--json')
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; path?: string; member?: { path: string } })
  const paths = lines.flatMap((line) =>
    line.type === 'member' ? [line.path ?? line.member?.path ?? ''] : [],
  )
  assert.ok(paths.length > 5, stderr)
  return paths
}

const kinds: readonly [string, BundleOptions, RegExp][] = [
  ['a plain bundle', {}, /in plaintext/],
  ['an enterprise bundle', { edition: 'enterprise', saml: true }, /enterprise edition/],
  ['an encrypted Org CA', { ca: 'encrypted' }, /encrypted with MCP_PROXY_DB_ENCRYPTION_KEY/],
  ['an Org CA in a key service', { kms: 'external' }, /key service aws/],
  ['folders elsewhere', { relocated: '../elsewhere', saml: true, edition: 'enterprise' }, /enterprise/],
]
for (const [what, options, about] of kinds) {
  test(`${what}: init writes what a backup needs, and the backup is good`, async () => {
    await using at = await initialise(options)
    assert.ok([0, 1].includes(at.init.code ?? -1), at.init.stderr)
    const text = readFileSync(at.join('sealift.yaml'), 'utf8')
    assert.match(text, about)
    assert.match(at.init.stdout, /Left out\n[^]*external stores/)
    for (const secret of at.bundle.secrets) assert.ok(!`${text}${at.init.stdout}`.includes(secret))
    const made = await at.tell(['backup', '--verify'])
    assert.deepEqual([made.code, made.result.verdict], [0, 'ok'], made.outcome.stdout)
    const members = await membersOf(at)
    const sources = [...new Set(members.map((path) => path.split('/')[0] ?? ''))].toSorted((a, b) =>
      a < b ? -1 : 1,
    )
    assert.deepEqual(sources, [
      'MANIFEST.json',
      'SHA256SUMS',
      'certs',
      'config',
      'data',
      'data-files',
      'nginx-certs',
      ...(options.saml === true ? ['saml-keys'] : []),
    ])
    for (const path of ['data/mcp_proxy.db', 'nginx-certs/.generation', 'certs/org-id', 'config/proxy.env'])
      assert.ok(members.includes(path), path)
  })
}

test('what the application leaves beside its database is in no archive, an unknown file is', async () => {
  await using at = await initialise({ locks: true, leftover: true, unknown: true, relocated: '../elsewhere' })
  for (const name of ['mcp_proxy.db-journal', 'mcp_proxy.db.snapshot-wal'])
    writeFileSync(`${at.bundle.data}/${name}`, 'stale')
  // An open database has both of its sidecars.
  await openWhile(at, async () => {
    assert.ok(filesIn(at.bundle.data).includes('mcp_proxy.db-wal'))
    const made = await at.tell(['backup'])
    assert.equal(made.result.verdict, 'attention')
    assert.ok(made.result.findings.some((one: { check: string }) => one.check === 'leftover-snapshot'))
  })
  const members = await membersOf(at)
  const data = members.filter((path) => path.startsWith('data'))
  assert.deepEqual(data, ['data/mcp_proxy.db', 'data-files', 'data-files/notes.txt'])
})

async function openWhile(at: Installation, work: () => Promise<void>): Promise<void> {
  const { DatabaseSync } = await import('node:sqlite')
  using db = new DatabaseSync(at.bundle.database)
  appendAudit(db, { count: 1 })
  await work()
}

test('without the database there is no archive', async () => {
  await using at = await initialise()
  rmSync(at.bundle.database)
  const { code, error } = await at.tell(['backup'])
  assert.deepEqual([code, error?.code], [66, 'SOURCE_NOT_FOUND'])
  assert.deepEqual(filesIn(at.join('archives')), [])
  // Not even for a start: the bundle is not whole.
  const again = await sealift(at, ['init', 'bundle', '--force'], {
    env: { SEALIFT_STATE_DIR: at.join('state') },
  })
  assert.match(again.stderr, /there is no mcp_proxy\.db/)
})

test('a folder of something else, and a bundle on PostgreSQL', async () => {
  await using at = await installMastio()
  const env = { SEALIFT_STATE_DIR: at.join('state') }
  const other = await sealift(at, ['init', 'stubs', '--profile', 'mastio', '-o', 'other.yaml'], { env })
  assert.deepEqual([other.code, filesIn(at.folder).includes('other.yaml')], [64, false], other.stderr)
  writeFileSync(at.join('bundle/proxy.env'), 'MCP_PROXY_DATABASE_URL=postgresql://u:hunter2@db/x\n')
  const postgres = await sealift(at, ['init', 'bundle', '-o', 'other.yaml'], { env })
  assert.equal(postgres.code, 73)
  assert.match(postgres.stderr, /SQLite backup only/)
  const made = await at.run('backup')
  assert.equal(made.code, 73)
  assert.doesNotMatch(`${postgres.stderr}${made.stderr}${made.stdout}`, /hunter2/)
  assert.deepEqual(filesIn(at.join('archives')), [])
})

test('a bundle comes back as it was, with what was added to data/ set aside', async () => {
  await using at = await initialise({
    locks: true,
    unknown: true,
    saml: true,
    edition: 'enterprise',
    license: freshLicense(),
  })
  const before = await snapshotTo(at.join('before.db'), at.bundle.database)
  assert.equal((await at.run('backup')).code, 0)
  changeDatabase(at.bundle.database, (db) => appendAudit(db, { count: 7 }))
  writeFileSync(`${at.bundle.data}/implant`, 'of the attacker')
  const { code, result, outcome } = await at.tell(['restore', 'latest', '--force'])
  assert.equal(code, 0, outcome.stdout)
  assert.deepEqual(result.undone, ['7 rows of audit_log lost'])
  assert.deepEqual(result.blocked, [])
  assert.deepEqual(filesIn(at.bundle.data), ['mcp_proxy.db', 'notes.txt'])
  const after = await snapshotTo(at.join('after.db'), at.bundle.database)
  assert.ok(readFileSync(after).equals(readFileSync(before)))
  assert.equal(readFileSync(at.join('bundle/proxy.env'), 'latin1'), at.bundle.env)
})
