import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { addRows, makeDatabase, openDatabase, takeOne } from '../../test/support/sqlite-database.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun } from '../../test/suites/source.ts'
import { sqlite } from './sqlite.ts'

suite('a restored database', () => {
  const never = new AbortController().signal

  test('passes when it is as recorded, and nothing appears beside it', async () => {
    await using folder = await testFolder()
    makeDatabase(folder.join('app.db'), 10)
    const { bytes, recorded } = await takeOne(sqlite.open('db', { path: folder.join('app.db') }))
    mkdirSync(folder.join('staged'))
    const staged = folder.join('staged', 'odd ?#%.db')
    await writeFile(staged, bytes)
    const findings = await sqlite.checkRestored(staged, recorded, never)
    assert.deepEqual(
      findings.map(({ check, verdict }) => `${check} ${verdict}`),
      ['integrity ok', 'schema ok', 'rows ok'],
    )
    assert.deepEqual(readdirSync(folder.join('staged')), ['odd ?#%.db'])
  })

  test('fails when rows, schema or bytes differ', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    makeDatabase(path, 10, 'delete')
    const { recorded, bytes } = await takeOne(sqlite.open('db', { path }))
    const failed = async (): Promise<string[]> =>
      (await sqlite.checkRestored(path, recorded, never))
        .filter(({ verdict }) => verdict === 'fail')
        .map(({ check, detail }) => `${check}: ${detail}`)
    {
      using db = openDatabase(path)
      db.exec('DELETE FROM entry WHERE n = 3')
    }
    assert.deepEqual(await failed(), ['rows: entry 10 → 9 rows'])
    {
      using db = openDatabase(path)
      db.exec('DROP TABLE entry; PRAGMA user_version = 9')
    }
    assert.deepEqual(await failed(), [
      'schema: the schema differs; user_version 0 → 9',
      'rows: entry is gone (had 10 rows)',
    ])
    await writeFile(path, bytes.fill(0x5a, 4096))
    assert.match((await failed()).join(), /^integrity: /)
    await writeFile(path, 'not a database, but long enough to be taken for one if nobody looks. '.repeat(9))
    assert.match((await failed()).join(), /^integrity: .*is no SQLite database/)
  })

  test('has three sidecars that must not survive beside it', () => {
    assert.deepEqual(sqlite.staleSidecars({ path: '/a/b.db', type: 'file' }), [
      '/a/b.db-wal',
      '/a/b.db-shm',
      '/a/b.db-journal',
    ])
  })
})

test('a spot check says how many rows a live table has gained, and leaves nothing', async () => {
  await using folder = await testFolder()
  await using run = await scratchRun()
  const path = folder.join('app.db')
  makeDatabase(path, 500)
  const source = sqlite.open('db', { path })
  const { recorded, bytes } = await takeOne(source)
  const entry = {
    path: 'db/app.db',
    type: 'file',
    size: bytes.length,
    mode: 0o644,
    mtimeMs: 0,
    offset: 0,
  } as const
  const look = (): ReturnType<typeof source.spotCheck> => source.spotCheck([entry], recorded, run.context)
  assert.deepEqual(await look(), [{ path: 'db/app.db', state: 'same' }])
  {
    using db = openDatabase(path)
    addRows(db, 12)
    db.exec('CREATE TABLE other (a)')
  }
  assert.deepEqual(await look(), [
    {
      path: 'db/app.db',
      state: 'changed',
      detail: 'the schema differs; entry 500 → 512 rows; other is new (0 rows)',
    },
  ])
  await rename(path, `${path}.away`)
  assert.equal((await look())[0]?.state, 'missing')
  assert.deepEqual(readdirSync(run.context.scratch), [])
  await rm(`${path}.away`)
  assert.ok(!existsSync(path))
})
