import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { appendAudit, appendLocal } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { issueAgent } from '../../../test/support/mastio-pki.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { hasSideEffects, sideEffects } from './side-effects.ts'
import { openSnapshot } from './snapshot-database.ts'

test('what an older archive undoes: every agent revoked, enrolled or re-certified since, tokens, sessions, rows', async () => {
  await using older = await testFolder()
  await using newer = await testFolder()
  const before = makeBundle(older.path, { auditRows: 5 })
  const after = makeBundle(newer.path, { auditRows: 5 })
  const { pki } = before
  const [alice = '', bob = '', carol = ''] = Object.keys(pki.agents)
  changeDatabase(before.database, (db) =>
    db.exec("INSERT INTO internal_agents (agent_id, is_active) VALUES ('zoe', 1)"),
  )
  changeDatabase(after.database, (db) => {
    db.prepare("UPDATE internal_agents SET is_active = 0, revoked_at = '2026-05-15' WHERE agent_id = ?").run(
      alice,
    )
    db.prepare('UPDATE internal_agents SET cert_pem = ? WHERE agent_id = ?').run(
      issueAgent(pki, 'bob').cert,
      bob,
    )
    db.prepare('INSERT INTO internal_agents (agent_id, is_active) VALUES (?, 1)').run(carol)
    db.exec("UPDATE user_api_tokens SET revoked_at = '2026-05-15'; DELETE FROM user_sessions")
    appendAudit(db, { count: 4 })
    appendLocal(db, { count: 2 })
    db.exec("INSERT INTO audit_log (timestamp) VALUES ('2026-05-16T00:00:00Z')")
  })
  using left = openSnapshot(before.database)
  using right = openSnapshot(after.database)
  const effects = sideEffects(left, right)
  assert.deepEqual(effects, {
    revoked: [alice],
    enrolled: [carol],
    recertified: [bob],
    removed: ['zoe'],
    tokensRevoked: 1,
    sessionsRevoked: 1,
    auditRowsLost: 5,
    localRowsLost: 2,
  })
  assert.equal(hasSideEffects(effects), true)
  assert.equal(hasSideEffects(sideEffects(left, left)), false)
})
