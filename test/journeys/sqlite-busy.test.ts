import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCopy, takeOne } from '../support/sqlite-database.ts'
import { startWriter } from '../support/sqlite-writer.ts'
import { testFolder } from '../support/tree-folder.ts'
import { sqlite } from '../../src/sources/sqlite.ts'

for (const journal of ['wal', 'delete'] as const) {
  test(`50 snapshots under a busy writer (${journal}) are sound and hold a prefix of its commits`, async () => {
    await using folder = await testFolder()
    const path = folder.join('busy.db')
    await using writer = await startWriter(path, journal)
    const source = sqlite.open('db', { path, timeout: 60 })
    let taken = 0
    await Promise.all(
      [1, 2].map(async () => {
        while (taken < 50) {
          taken += 1
          const known = writer.committed
          const { bytes, description } = await takeOne(source)
          await readCopy(bytes, (db) => {
            assert.deepEqual(db.prepare('PRAGMA integrity_check').all().map(Object.values), [['ok']])
            for (const table of ['left', 'right']) {
              const row = db
                .prepare(`SELECT count(*) AS n, min(n) AS first, max(n) AS last FROM "${table}"`)
                .get()
              const n = Number(row?.['n'])
              assert.deepEqual({ ...row }, { n, first: 1, last: n })
              assert.ok(n >= known, `${known} were committed before the snapshot began, and it has ${n}`)
              assert.deepEqual(description.rows, { left: n, right: n })
            }
          })
        }
      }),
    )
    assert.ok(writer.committed > 50)
  })
}
