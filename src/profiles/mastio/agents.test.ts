import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { agentsOf, deactivateAgents } from './agents.ts'
import { openSnapshot } from './snapshot-database.ts'

test('agents are listed with how they were enrolled and who holds their key, and chosen ones are switched off', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path)
  const [alice = '', bob = ''] = Object.keys(bundle.pki.agents)
  changeDatabase(bundle.database, (db) =>
    db.prepare('DELETE FROM proxy_config WHERE key = ?').run(`agent_key:${bob}`),
  )
  const list = (): unknown[] => {
    using db = openSnapshot(bundle.database)
    return [...agentsOf(db)].map(({ id, active, method, serverHeld, notAfter }) => [
      id,
      active,
      method,
      serverHeld,
      notAfter?.getUTCFullYear(),
    ])
  }
  assert.deepEqual(list(), [
    [alice, true, 'csr', true, 2027],
    [bob, true, 'csr', false, 2027],
  ])
  assert.throws(() => deactivateAgents(bundle.database, [bob, 'nobody']), /there is no agent nobody/)
  assert.equal(list().filter((row) => (row as unknown[])[1] === true).length, 2)
  assert.deepEqual(deactivateAgents(bundle.database, [bob, bob]), [bob])
  assert.deepEqual(
    list().map((row) => (row as unknown[])[1]),
    [true, false],
  )
  assert.deepEqual(await readdir(bundle.data), ['mcp_proxy.db'])
})
