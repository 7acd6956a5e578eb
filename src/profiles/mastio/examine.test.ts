import assert from 'node:assert/strict'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { appendAudit, tamper } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { issueServer, rotatedRoot, testPki } from '../../../test/support/mastio-pki.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { FactValue, Facts } from '../../manifest.ts'
import type { CertificateFiles } from './certificate-checks.ts'
import { readEnv, withKey } from './env-file.ts'
import { examine } from './examine.ts'
import type { Examination, Examined } from './examine.ts'
import { heaviest } from './finding.ts'

const { signal } = new AbortController()
const text = (value: FactValue | undefined): string => (typeof value === 'string' ? value : '')

function filesOf(bundle: TestBundle): CertificateFiles {
  const read = (path: string): Buffer | undefined => {
    try {
      return readFileSync(path)
    } catch {
      return undefined
    }
  }
  return {
    orgCaCrt: read(join(bundle.nginxCerts, 'org-ca.crt')),
    serverCrt: read(join(bundle.nginxCerts, 'mastio-server.crt')),
    serverKey: read(join(bundle.nginxCerts, 'mastio-server.key')),
    orgCaPem: read(join(bundle.certs, 'org-ca.pem')),
    orgId: read(join(bundle.certs, 'org-id')),
  }
}

function examineBundle(bundle: TestBundle, more: Partial<Examined> = {}): Promise<Examination> {
  return examine(
    {
      database: bundle.database,
      env: readEnv(bundle.env),
      files: filesOf(bundle),
      edition: 'open-core',
      license: 'redacted',
      snapshotAt: new Date(),
      ...more,
    },
    signal,
  )
}

/** Examines a bundle that `change` was let loose on, and makes sure that no secret is told. */
async function examined(
  options: BundleOptions = {},
  change: (bundle: TestBundle) => Partial<Examined> | void = () => {},
): Promise<Examination & { names: string[]; bundle: TestBundle }> {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, options)
  const more = change(bundle) ?? {}
  const examination = await examineBundle(bundle, more)
  const told = JSON.stringify(examination)
  for (const secret of bundle.secrets) assert.ok(!told.includes(secret), `told: ${secret}`)
  return { ...examination, bundle, names: examination.findings.map((one) => `${one.check} ${one.class}`) }
}

const inDatabase =
  (change: (db: DatabaseSync) => void) =>
  (bundle: TestBundle): void =>
    changeDatabase(bundle.database, change)
const sql = (statement: string): ((bundle: TestBundle) => void) => inDatabase((db) => tamper(db, statement))

test('a plain bundle: every fact, and no finding but the plaintext key', async () => {
  const { facts, names, bundle } = await examined({ auditRows: 12, local: { acme: 5, zeta: 2 } })
  assert.deepEqual(names, ['ca-key-plaintext note'])
  const { orgId } = bundle.pki
  assert.match(text(facts['ca_fingerprint_sha256']), /^[0-9a-f]{64}$/)
  assert.match(text(facts['intermediate_fingerprint_sha256']), /^[0-9a-f]{64}$/)
  assert.match(text(facts['ca_not_after']), /^2040-/)
  const known: Facts = {
    edition: 'open-core',
    bundle_version: '0.4.4',
    alembic_head: '0042_audit_log_v2',
    agents_total: 2,
    agents_active: 2,
    org_id: orgId,
    ca_mode: 'plaintext-db',
    ca_key_matches: 'yes',
    pki_key_opens: null,
    license: 'redacted',
    server_names: ['mastio.acme.test', 'localhost', 'mcp-proxy'],
    newest_audit_timestamp: '2026-05-14T10:30:37.123Z',
  }
  for (const [name, value] of Object.entries(known)) assert.deepEqual(facts[name], value, name)
  const head = facts['audit_log_head'] as Record<string, unknown>
  assert.deepEqual(
    { ...head, row_hash: '' },
    { first_seq: 1, max_seq: 12, row_hash: '', chained: 12, unchained: 0 },
  )
  assert.deepEqual(Object.keys(facts['local_audit_heads'] as object), ['acme', 'zeta'])
  assert.ok((facts['env_names'] as string[]).includes('MCP_PROXY_ADMIN_SECRET'))
  assert.ok(text(facts['server_not_after']) > text(facts['snapshot_at']))
})

test('each mode of the CA is recognised', async () => {
  const encrypted = await examined({ ca: 'encrypted' })
  assert.deepEqual(encrypted.names, [])
  assert.equal(encrypted.facts['ca_mode'], 'encrypted-db')
  assert.equal(encrypted.facts['pki_key_opens'], 'yes')
  assert.equal(encrypted.facts['ca_key_matches'], 'yes')
  const external = await examined({ kms: 'external' })
  assert.deepEqual(external.names, [])
  assert.equal(external.facts['ca_mode'], 'external-kms')
  assert.equal(external.facts['ca_key_matches'], 'not checkable')
  const fromDisk = await examined(
    { kms: 'external' },
    sql("DELETE FROM proxy_config WHERE key = 'org_ca_cert'"),
  )
  assert.equal(fromDisk.facts['ca_fingerprint_sha256'], external.facts['ca_fingerprint_sha256'])
})

test('the key of an encrypted CA: right, wrong, too short, none', async () => {
  const opens = async (value: string): Promise<unknown[]> => {
    const { facts, names } = await examined({ ca: 'encrypted' }, (bundle) => ({
      env: readEnv(withKey(bundle.env, 'MCP_PROXY_DB_ENCRYPTION_KEY', value)),
    }))
    return [facts['pki_key_opens'], facts['ca_key_matches'], ...names]
  }
  assert.deepEqual(await opens('another-long-passphrase'), ['no', 'not checkable', 'pki-key attention'])
  assert.deepEqual(await opens('short'), ['too short', 'not checkable', 'pki-key attention'])
  assert.deepEqual(await opens(''), ['no key given', 'not checkable'])
})

const other = testPki({ lineage: 'other' })
const stray = `INSERT INTO proxy_config VALUES ('x', 'y')`
const samples: [string, string, BundleOptions, ((bundle: TestBundle) => Partial<Examined> | void)?][] = [
  ['ca-plaintext-copy attention', 'a plaintext copy of the encrypted key', { ca: 'both' }],
  ['ca-two fail', 'two CAs, one in each store', { ca: 'two', other: other.root }],
  [
    'ca-two fail',
    'an encrypted CA that is not the configured one',
    { ca: 'encrypted' },
    inDatabase((db) => {
      db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_cert'").run(other.root.cert)
    }),
  ],
  [
    'ca-two fail',
    'a plaintext key of another CA',
    { ca: 'both' },
    inDatabase((db) => {
      db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_key'").run(other.root.key)
    }),
  ],
  ['ca-key-missing hard', 'no key at all', { ca: 'none' }],
  [
    'ca-key-missing hard',
    'a key row that was given up',
    { ca: 'encrypted' },
    sql("UPDATE pki_key_store SET deprecated_at = '2026-01-03'"),
  ],
  [
    'ca-key-mismatch fail',
    'a key of another certificate',
    {},
    inDatabase((db) => {
      db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_key'").run(other.root.key)
    }),
  ],
  [
    'ca-key-mismatch fail',
    'an encrypted key of another certificate',
    { ca: 'encrypted' },
    inDatabase((db) => {
      db.prepare('UPDATE pki_key_store SET cert_pem = ?').run(other.root.cert)
      db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_cert'").run(other.root.cert)
    }),
  ],
  [
    'ca-certificate-missing fail',
    'no certificate',
    {},
    sql("DELETE FROM proxy_config WHERE key = 'org_ca_cert'"),
  ],
  ['ca-name fail', 'a Root of another name', { pki: testPki({ rootName: 'Acme Root CA' }) }],
  [
    'org-id note',
    'an organisation that was set by hand',
    { pki: testPki({ rootName: 'acme CA' }) },
    sql("UPDATE proxy_config SET value = 'acme' WHERE key = 'org_id'"),
  ],
  [
    'intermediate attention',
    'a rotated Root over the old Intermediate',
    {},
    (bundle) => {
      const root = rotatedRoot(bundle.pki)
      changeDatabase(bundle.database, (db) => {
        db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_cert'").run(root.cert)
        db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_key'").run(root.key)
      })
    },
  ],
  [
    'intermediate attention',
    'no Intermediate',
    {},
    sql("DELETE FROM proxy_config WHERE key = 'mastio_ca_cert'"),
  ],
  [
    'agent-certificate attention',
    'an agent of another CA',
    {},
    inDatabase((db) => {
      db.prepare('UPDATE internal_agents SET cert_pem = ? WHERE agent_id LIKE ?').run(
        Object.values(other.agents)[0]?.cert ?? '',
        '%alice',
      )
    }),
  ],
  [
    'agent-certificate attention',
    'an agent with no readable certificate',
    {},
    sql("UPDATE internal_agents SET cert_pem = 'x'"),
  ],
  [
    'ca-on-disk attention',
    'another Root on disk',
    {},
    (bundle) => {
      writeFileSync(join(bundle.nginxCerts, 'org-ca.crt'), other.root.cert)
    },
  ],
  [
    'ca-exported note',
    'another Root in certs/',
    {},
    (bundle) => {
      writeFileSync(join(bundle.certs, 'org-ca.pem'), other.root.cert)
    },
  ],
  [
    'server-key attention',
    'a server certificate of another key',
    {},
    (bundle) => {
      writeFileSync(join(bundle.nginxCerts, 'mastio-server.key'), other.server.key)
      return { reread: async () => Promise.resolve(filesOf(bundle)) }
    },
  ],
  [
    'server-certificate note',
    'no server key',
    {},
    (bundle) => rmSync(join(bundle.nginxCerts, 'mastio-server.key')),
  ],
  [
    'server-expired note',
    'an expired server certificate',
    {},
    (bundle) => {
      const long = new Date('2025-01-01T00:00:00Z')
      const { cert, key } = issueServer(bundle.pki.intermediate, ['localhost'], long)
      return { files: { ...filesOf(bundle), serverCrt: Buffer.from(cert), serverKey: Buffer.from(key) } }
    },
  ],
  [
    'audit-chain attention',
    'a changed row',
    {},
    sql("UPDATE audit_log SET detail = 'x' WHERE chain_seq = 3"),
  ],
  ['audit-chain attention', 'a gap', {}, sql('DELETE FROM audit_log WHERE chain_seq = 3')],
  [
    'audit-chain attention',
    'a changed row of an organisation',
    {},
    sql("UPDATE local_audit SET result = 'x' WHERE chain_seq = 3"),
  ],
  ['audit-start note', 'a start at 2', {}, sql('DELETE FROM audit_log WHERE chain_seq = 1')],
  ...['audit_log_no_update', 'audit_log_no_delete', 'local_audit_no_update', 'local_audit_no_delete'].map(
    (name): (typeof samples)[number] => [
      'trigger-missing attention',
      `no trigger ${name}`,
      {},
      inDatabase((db) => db.exec(`DROP TRIGGER ${name}`)),
    ],
  ),
  [
    'tables-missing hard',
    'a table that is missing',
    {},
    inDatabase((db) => db.exec('DROP TABLE internal_agents')),
  ],
  ['schema-head hard', 'no head', {}, sql('DELETE FROM alembic_version')],
  ['schema-head note', 'an older head', { head: '0037_audit_dev_attest' }],
  [
    'unknown-table note',
    'a table that is not known',
    {},
    inDatabase((db) => db.exec('CREATE TABLE extra (id)')),
  ],
  ['database-unreadable hard', 'no database', { database: false }],
  [
    'database-unreadable hard',
    'a database that is none',
    {},
    (bundle) => writeFileSync(bundle.database, 'x'.repeat(8192)),
  ],
  [
    'integrity hard',
    'a database that was cut',
    { auditRows: 300 },
    (bundle) => truncateSync(bundle.database, 40 * 4096),
  ],
]
for (const [name, what, options, change] of samples) {
  test(`${what}: ${name}`, async () => {
    const { names } = await examined(options, change)
    const cut = name === 'integrity hard' && names.includes('database-unreadable hard')
    assert.ok(cut || names.includes(name), names.join('; '))
  })
}

test('a pair that was renewed while it was copied is looked at once more', async () => {
  const { names } = await examined({}, (bundle) => {
    const renewed = issueServer(bundle.pki.intermediate, ['localhost'])
    const torn = { ...filesOf(bundle), serverCrt: Buffer.from(renewed.cert) }
    return { files: torn, reread: async () => Promise.resolve(filesOf(bundle)) }
  })
  assert.deepEqual(names, ['ca-key-plaintext note'])
})

test('an unrelated row in the database is no finding', async () => {
  assert.deepEqual((await examined({}, sql(stray))).names, ['ca-key-plaintext note'])
})

test('the head of the previous backup must be in the chain, unless a restore was recorded in between', async () => {
  const first = await examined({ auditRows: 12, local: { acme: 5 } })
  const predecessor = { facts: first.facts, restoredSince: false, acknowledged: [] }
  const names = async (
    options: BundleOptions,
    predecessor: Examined['predecessor'],
    change = '',
  ): Promise<string[]> => {
    const bundle = await examined(options, (bundle) => {
      if (change !== '') changeDatabase(bundle.database, (db) => tamper(db, change))
      return predecessor === undefined ? {} : { predecessor }
    })
    return bundle.names.filter((name) => name !== 'ca-key-plaintext note')
  }
  assert.deepEqual(await names({ auditRows: 20, local: { acme: 6 } }, predecessor), [])
  assert.deepEqual(await names({ auditRows: 11 }, predecessor), ['head-lost fail'])
  assert.deepEqual(await names({ auditRows: 12, local: {} }, predecessor), ['head-lost fail'])
  assert.deepEqual(await names({ auditRows: 11, local: {} }, { ...predecessor, restoredSince: true }), [])
  const cut = 'DELETE FROM audit_log WHERE chain_seq < 3'
  assert.deepEqual(await names({ auditRows: 20 }, predecessor, cut), [
    'audit-start note',
    'audit-start attention',
  ])
})

test('a CA that changed wants attention until it is acknowledged', async () => {
  const before = await examined({ pki: other })
  const { facts, names } = await examined({}, () => ({
    predecessor: {
      facts: { ...before.facts, audit_log_head: null, local_audit_heads: {} },
      restoredSince: false,
      acknowledged: [],
    },
  }))
  assert.ok(names.includes('ca-changed attention'))
  const acknowledged = await examined({}, () => ({
    predecessor: {
      facts: { ca_fingerprint_sha256: text(before.facts['ca_fingerprint_sha256']) },
      restoredSince: false,
      acknowledged: [text(facts['ca_fingerprint_sha256'])],
    },
  }))
  assert.ok(!acknowledged.names.includes('ca-changed attention'))
})

test('the heaviest finding decides, and a file that a foreign archive lacks is no obstacle', async () => {
  const { findings } = await examined({ ca: 'none' }, sql("UPDATE audit_log SET detail = 'x'"))
  assert.equal(heaviest(findings), 'hard')
  const { names } = await examined({}, () => ({ files: {} }))
  assert.deepEqual(names, ['ca-key-plaintext note', 'server-certificate note'])
})

test('rows that were added later are in the facts of the next examination', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, { auditRows: 3 })
  changeDatabase(bundle.database, (db) => appendAudit(db, { count: 4 }))
  const { facts } = await examineBundle(bundle, { integrityChecked: true })
  assert.equal((facts['audit_log_head'] as Record<string, unknown>)['max_seq'], 7)
})
