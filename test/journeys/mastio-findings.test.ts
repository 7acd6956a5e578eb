import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { openCatalog } from '../../src/catalog/catalog.ts'
import { inLanes } from '../support/journey-lanes.ts'
import { environment, program, start } from '../support/journey-program.ts'
import { requireStrace } from '../support/journey-strace.ts'
import type { BundleOptions } from '../support/mastio-bundle.ts'
import { appendAudit, appendLocal, tamper } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { initialise } from '../support/mastio-initialised.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { rotatedRoot, testPki } from '../support/mastio-pki.ts'
import { filesIn, plaintextIn } from '../support/mastio-residue.ts'

/** What a backup finds out about the data that it seals (mastio.md §3.7, §4, §13: checks 5 to 7). */
const other = testPki({ lineage: 'other' })

interface Sample {
  readonly finding: string
  readonly options?: BundleOptions
  readonly change?: (at: Installation) => void
}

const sql =
  (statement: string) =>
  (at: Installation): void =>
    changeDatabase(at.bundle.database, (db) => tamper(db, statement))
const setConfig = (db: DatabaseSync, key: string, value: string): void => {
  db.prepare('INSERT OR REPLACE INTO proxy_config VALUES (?, ?)').run(key, value)
}

const hard: readonly Sample[] = [
  { finding: 'ca-key-missing', options: { ca: 'none' } },
  { finding: 'tables-missing', change: sql('DROP TABLE mastio_keys') },
  { finding: 'schema-head', change: sql('DELETE FROM alembic_version') },
]
const failing: readonly Sample[] = [
  { finding: 'ca-two', options: { ca: 'two', other: other.root } },
  {
    finding: 'ca-key-mismatch',
    change: (at) => changeDatabase(at.bundle.database, (db) => setConfig(db, 'org_ca_key', other.root.key)),
  },
  { finding: 'ca-name', options: { pki: testPki({ rootName: 'Acme Root CA' }) } },
]
const wanting: readonly Sample[] = [
  { finding: 'audit-chain', change: sql("UPDATE audit_log SET detail = 'x' WHERE chain_seq = 3") },
  { finding: 'audit-chain', change: sql("UPDATE local_audit SET result = 'x' WHERE chain_seq = 3") },
  {
    finding: 'trigger-missing',
    change: (at) => changeDatabase(at.bundle.database, (db) => db.exec('DROP TRIGGER local_audit_no_delete')),
  },
  {
    finding: 'intermediate',
    change(at) {
      const root = rotatedRoot(at.bundle.pki)
      changeDatabase(at.bundle.database, (db) => {
        setConfig(db, 'org_ca_cert', root.cert)
        setConfig(db, 'org_ca_key', root.key)
      })
    },
  },
  {
    finding: 'agent-certificate',
    change: (at) =>
      changeDatabase(at.bundle.database, (db) => {
        const [foreign] = Object.values(other.agents)
        db.prepare("UPDATE internal_agents SET cert_pem = ? WHERE agent_id LIKE '%alice'").run(
          foreign?.cert ?? '',
        )
      }),
  },
  {
    finding: 'server-key',
    change: (at) => writeFileSync(`${at.bundle.nginxCerts}/mastio-server.key`, other.server.key),
  },
  { finding: 'ca-plaintext-copy', options: { ca: 'both' } },
  { finding: 'leftover-snapshot', options: { leftover: true } },
]

async function backedUp({ options = {}, change }: Sample): Promise<Told & { readonly archives: string[] }> {
  await using at = await initialise(options)
  change?.(at)
  const told = await at.tell(['backup'])
  return { ...told, archives: filesIn(at.join('archives')) }
}

const classesOf = ({ result }: Told): string[] =>
  result.findings.map((one: { check: string; class: string }) => `${one.check} ${one.class}`)

suite('what a backup finds', () => {
  test('in data that is none: there is no archive', async () => {
    await inLanes(hard, async (sample) => {
      const { code, error, archives } = await backedUp(sample)
      assert.deepEqual([code, error?.code, archives], [65, 'SNAPSHOT_REFUSED', []], sample.finding)
      assert.match(error?.message ?? '', new RegExp(sample.finding))
    })
    const { code, error, archives } = await backedUp({
      finding: 'integrity',
      options: { auditRows: 300 },
      change: (at) => truncateSync(at.bundle.database, 40 * 4096),
    })
    assert.deepEqual([code, error?.code, archives], [65, 'SOURCE_CORRUPT', []])
  })

  test('in data that must not count as good: the archive is there, and says so', async () => {
    await inLanes(failing, async (sample) => {
      const told = await backedUp(sample)
      const { code, result, error, archives } = told
      assert.deepEqual([code, error?.code, result.verdict], [65, 'BACKUP_NOT_GOOD', 'fail'], sample.finding)
      assert.ok(classesOf(told).includes(`${sample.finding} fail`))
      assert.equal(archives.length, 1)
    })
  })

  test('in data that somebody must look at: the archive is good, and the run says so', async () => {
    await inLanes(wanting, async (sample) => {
      const told = await backedUp(sample)
      assert.deepEqual([told.code, told.ok, told.result.verdict], [1, true, 'attention'], sample.finding)
      assert.ok(classesOf(told).includes(`${sample.finding} attention`), told.outcome.stdout)
      assert.equal(told.archives.length, 1)
    })
  })
})

test('every fact is in the manifest, and no secret is anywhere but in the application', async () => {
  requireStrace()
  await using at = await initialise({
    ca: 'encrypted',
    edition: 'enterprise',
    saml: true,
    env: ['CULLIS_LICENSE_PATH=/etc/cullis/license'],
  })
  const log = at.join('strace.log')
  // `-v` shows the whole environment of every program that is started.
  const strace = ['strace', '-f', '-v', '-qq', '-s', '100000', '-e', 'trace=execve', '-o', log]
  const run = await start(at, [...strace, program, 'backup', '--json'], { env: environment(at) }).ended
  assert.equal(run.code, 0, run.stdout)
  assert.match(readFileSync(log, 'latin1'), /sqlite-child/)
  const shown = await at.tell(['show', 'latest'])
  const { manifest } = shown.result
  const data = manifest.sources.find(({ name }: { name: string }) => name === 'data')
  const { facts } = data
  const { pki } = at.bundle
  const fingerprint = (pem: string): string =>
    new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
  const expected = {
    edition: 'enterprise',
    bundle_version: '0.4.4',
    alembic_head: '0042_audit_log_v2',
    agents_total: 2,
    agents_active: 2,
    org_id: pki.orgId,
    ca_mode: 'encrypted-db',
    ca_fingerprint_sha256: fingerprint(pki.root.cert),
    ca_key_matches: 'yes',
    pki_key_opens: 'yes',
    intermediate_fingerprint_sha256: fingerprint(pki.intermediate.cert),
    server_names: ['mastio.acme.test', 'localhost', 'mcp-proxy'],
    newest_audit_timestamp: '2026-05-14T10:30:37.123Z',
    license: 'redacted',
    verdict: 'ok',
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(facts[name], value, name)
  const { audit_log_head: head, local_audit_heads: local } = facts
  assert.deepEqual([head.first_seq, head.max_seq, head.chained, head.unchained], [1, 12, 12, 0])
  assert.match(head.row_hash, /^[0-9a-f]{64}$/)
  assert.deepEqual([Object.keys(local), local.acme.max_seq], [['acme'], 5])
  assert.deepEqual([Object.keys(data.rows).length, data.rows.audit_log], [30, 12])
  assert.ok(Math.abs(Date.parse(facts.snapshot_at) - Date.parse(data.snapshot_at)) < 1000)
  for (const name of ['ca_not_after', 'server_not_after'])
    assert.ok(Date.parse(facts[name]) > Date.now(), name)
  assert.ok(facts.env_names.includes('MCP_PROXY_VAULT_TOKEN') && !facts.env_names.includes('MCP_PROXY_PORT'))
  assert.match(facts.exclusions.join('\n'), /external stores[^]*backups\/[^]*CULLIS_LICENSE_PATH/)
  assert.match(data.versions.sqlite, /^3\./)
  assert.equal(manifest.tool.name, 'sealift')

  // The record of every argument and every environment lies among the files that are searched.
  assert.deepEqual(plaintextIn(at), [])
  writeFileSync(at.join('told'), [run.stdout, run.stderr, JSON.stringify(shown)].join('\n'))
  assert.deepEqual(plaintextIn(at), [])
  const passphrase = readFileSync(at.join('pass'), 'utf8').trim()
  for (const name of filesIn(at.folder).filter((one) => one !== 'pass' && !one.startsWith('stubs/')))
    assert.ok(!readFileSync(at.join(name)).includes(passphrase), name)
})

suite('the backup before', () => {
  const cut = 'DELETE FROM audit_log WHERE chain_seq > 10; DELETE FROM local_audit WHERE chain_seq > 4'

  test('its last rows must be there again', async () => {
    await using at = await initialise()
    assert.equal((await at.run('backup')).code, 0)
    sql(cut)(at)
    const told = await at.tell(['backup'])
    assert.deepEqual([told.code, told.error?.code, told.result.verdict], [65, 'BACKUP_NOT_GOOD', 'fail'])
    assert.match(
      told.error?.message ?? '',
      /head-lost: history rewritten or database replaced: audit_log row 12, local_audit row 5 of acme/,
    )
    // Grown anew over the cut, under the same numbers.
    changeDatabase(at.bundle.database, (db) => {
      appendAudit(db, { count: 9, from: new Date('2026-06-01T00:00:00Z') })
      appendLocal(db, { count: 9, from: new Date('2026-06-01T00:00:00Z') })
    })
    const grown = await at.tell(['backup'])
    assert.deepEqual(
      [grown.code, grown.result.verdict],
      [65, 'fail'],
      'it is compared with the last good one',
    )
  })

  test('its last rows may be gone after a restore that is known, and only then', async () => {
    await using at = await initialise()
    const first = await at.tell(['backup'])
    changeDatabase(at.bundle.database, (db) => appendAudit(db, { count: 5 }))
    // In another second than the first, so that "since then" has a meaning.
    const second = await at.tell(['backup'])
    assert.equal(second.result.verdict, 'ok')
    const restored = await at.tell(['restore', first.result.archive.name as string, '--force'])
    assert.equal(restored.ok, true, restored.outcome.stdout)
    const after = await at.tell(['backup'])
    assert.deepEqual([after.code, after.result.verdict], [0, 'ok'], after.outcome.stdout)
    sql(cut)(at)
    assert.equal((await at.tell(['backup'])).result.verdict, 'fail')
  })

  test('another Org CA wants attention until it is acknowledged', async () => {
    await using at = await initialise()
    assert.equal((await at.run('backup')).code, 0)
    const root = rotatedRoot(at.bundle.pki)
    changeDatabase(at.bundle.database, (db) => {
      setConfig(db, 'org_ca_cert', root.cert)
      setConfig(db, 'org_ca_key', root.key)
    })
    const told = await at.tell(['backup'])
    assert.deepEqual([told.code, told.result.verdict], [1, 'attention'])
    assert.ok(classesOf(told).includes('ca-changed attention'))
    const now = (await at.tell(['show', 'latest'])).result.manifest.sources.find(
      ({ name }: { name: string }) => name === 'data',
    ).facts.ca_fingerprint_sha256 as string
    {
      using catalog = openCatalog(at.join('state/catalog.db'), () => new Date())
      catalog.acknowledge('cullis-mastio-backup', {
        value: now,
        at: '2026-05-14T10:30:25Z',
        reason: 'rotated',
      })
    }
    const known = await at.tell(['backup'])
    assert.ok(!classesOf(known).includes('ca-changed attention'))
  })

  test('retention keeps the last archive of an Org CA that is gone', async () => {
    await using at = await initialise()
    const config = readFileSync(at.join('sealift.yaml'), 'utf8')
    writeFileSync(at.join('sealift.yaml'), config.replace(/^retention: .*$/m, 'retention: { keep_last: 1 }'))
    const taken: string[] = []
    for (let made = 0; made < 2; made++) taken.push((await at.tell(['backup'])).result.archive.name as string)
    const root = rotatedRoot(at.bundle.pki)
    changeDatabase(at.bundle.database, (db) => {
      setConfig(db, 'org_ca_cert', root.cert)
      setConfig(db, 'org_ca_key', root.key)
    })
    for (let made = 0; made < 2; made++) taken.push((await at.tell(['backup'])).result.archive.name as string)
    const [, lastOld, , newest] = taken
    const looked = await at.tell(['prune', '--dry-run'])
    assert.equal(filesIn(at.join('archives')).length, 4)
    assert.equal(looked.result.removed.length, 2)
    const pruned = await at.tell(['prune'])
    assert.equal(pruned.ok, true, pruned.outcome.stdout)
    assert.deepEqual(filesIn(at.join('archives')), [lastOld, newest])
  })
})
