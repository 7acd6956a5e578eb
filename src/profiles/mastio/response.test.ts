import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { tamper } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { readEnv } from './env-file.ts'
import { examine } from './examine.ts'
import { response } from './response.ts'

const { signal } = new AbortController()
const all = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') }

test('a rewritten history shows by the heads that backups elsewhere have, though its chain is whole', async () => {
  await using folder = await testFolder()
  const { database, env } = makeBundle(folder.path)
  const input = { database, env: readEnv(env), files: {}, edition: 'open-core', license: 'absent' } as const
  const { facts } = await examine({ ...input, snapshotAt: new Date() }, signal)
  const places = new Map([['data', database]])
  const backups = [
    { name: 'monday.sealift', facts },
    { name: 'without facts', facts: {} },
  ]
  const clean = await response.audit(places, all, backups, signal)
  assert.deepEqual([clean.findings, clean.rows, clean.heads_compared], [[], 12, 2])
  // The end of the chain is gone: from inside nothing shows.
  changeDatabase(database, (db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq > 10'))
  const cut = await response.audit(places, all, backups, signal)
  assert.deepEqual(
    cut.findings.map(({ check, detail }) => [check, detail.split(',')[0]]),
    [['head-lost', 'monday.sealift has audit_log row 12']],
  )
  assert.equal([...response.auditRows(places, all)].length, 10)
})

test('a state without a database or without an audit log is told, and not taken for a clean one', async () => {
  await using folder = await testFolder()
  const { database } = makeBundle(folder.path)
  const none = await response.audit(new Map(), all, [], signal)
  assert.deepEqual(
    none.findings.map(({ check }) => check),
    ['audit-missing'],
  )
  changeDatabase(database, (db) => db.exec('DROP TABLE audit_log'))
  const dropped = await response.audit(new Map([['data', database]]), all, [], signal)
  assert.deepEqual(
    dropped.findings.map(({ check }) => check),
    ['audit-missing'],
  )
  assert.deepEqual([...response.auditRows(new Map([['data', database]]), all)], [])
  await assert.rejects(() => response.deactivate(new Map(), ['x']), { code: 'USAGE' })
})
