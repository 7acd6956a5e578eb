import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseSync as Database } from 'node:sqlite'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { TestBundle } from '../../../test/support/mastio-bundle.ts'
import { appendAudit, tamper } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Facts } from '../../manifest.ts'
import { readEnv } from './env-file.ts'
import { examine } from './examine.ts'
import { checkLive } from './live-checks.ts'
import { openSnapshot } from './snapshot-database.ts'

const { signal } = new AbortController()

async function factsOf({ database, env }: TestBundle): Promise<Facts> {
  const input = { database, env: readEnv(env), files: {}, edition: 'open-core', license: 'absent' } as const
  return (await examine({ ...input, snapshotAt: new Date() }, signal)).facts
}

/** What is found in the live database after `change`, with the facts of before. */
async function found(change: (db: DatabaseSync) => void): Promise<string[]> {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path)
  const facts = await factsOf(bundle)
  changeDatabase(bundle.database, change)
  using db = openSnapshot(bundle.database)
  return checkLive(db, facts).map((one) => `${one.check} ${one.class}`)
}

test('a live database that went on from the archive is what was restored', async () => {
  assert.deepEqual(await found(() => {}), [])
  assert.deepEqual(await found((db) => appendAudit(db, { count: 3 })), [])
})

test('another organisation, missing agents, a lost head of either chain fail', async () => {
  assert.deepEqual(await found((db) => db.exec("UPDATE proxy_config SET value = 'x' WHERE key = 'org_id'")), [
    'live-org fail',
  ])
  assert.deepEqual(await found((db) => db.exec('DELETE FROM internal_agents')), ['live-agents fail'])
  assert.deepEqual(await found((db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq > 11')), [
    'live-head fail',
  ])
  assert.deepEqual(await found((db) => tamper(db, 'DELETE FROM local_audit')), ['live-head fail'])
})

test('an empty database fails', async () => {
  await using folder = await testFolder()
  const facts = await factsOf(makeBundle(folder.path))
  using empty = new Database(':memory:')
  assert.deepEqual(
    checkLive(empty, facts).map((one) => one.check),
    ['live-empty'],
  )
  assert.deepEqual(
    await found((db) =>
      tamper(db, 'DELETE FROM audit_log; DELETE FROM local_audit; DELETE FROM internal_agents'),
    ),
    ['live-agents fail', 'live-head fail'],
  )
})
