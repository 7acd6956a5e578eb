import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { auditActivity, auditEntries } from './audit-window.ts'
import { openSnapshot } from './snapshot-database.ts'

test('the audit of a window is summed up by agent, action and status, and its rows can be taken along', async () => {
  await using folder = await testFolder()
  const { database } = makeBundle(folder.path, { auditRows: 10 })
  using own = new DatabaseSync(database)
  own.exec("INSERT INTO audit_log (timestamp, action) VALUES ('2026-05-14T12:30:30+02:00', 'zoned')")
  own.close()
  using db = openSnapshot(database)
  const window = [new Date('2026-05-14T10:30:28Z'), new Date('2026-05-14T10:30:31Z')] as const
  assert.deepEqual(
    [...auditActivity(db, ...window)].map(({ agent, action, count }) => [agent, action, count]),
    [
      ['acme::alice', 'tool.call', 1],
      ['acme::bob', 'tool.call', 2],
      ['', 'zoned', 1],
    ].toSorted((a, b) => Number(b[2]) - Number(a[2]) || (String(a[0]) < String(b[0]) ? -1 : 1)),
  )
  assert.deepEqual(
    [...auditEntries(db, ...window)].map((row) => row['chain_seq']),
    [null, 3, 4, 5],
  )
})
