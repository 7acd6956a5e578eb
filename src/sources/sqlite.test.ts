import assert from 'node:assert/strict'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { count, makeDatabase, openDatabase } from '../../test/support/sqlite-database.ts'
import { addRows, readCopy, takeOne } from '../../test/support/sqlite-database.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun, sourceSuite } from '../../test/suites/source.ts'
import { sqlite, sqliteOptions } from './sqlite.ts'

for (const journal of ['wal', 'delete'] as const) {
  sourceSuite(`sqlite (${journal})`, async () => {
    const folder = await testFolder()
    makeDatabase(folder.join('app.db'), 3000, journal)
    return {
      source: sqlite.open('db', { path: folder.join('app.db') }),
      missing: sqlite.open('db', { path: folder.join('none.db') }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  })
}

/** The codes of a snapshot that fails, after which nothing lies in its scratch folder. */
async function failure(path: string, timeout = 20): Promise<{ code: ErrorCode; message: string }> {
  await using run = await scratchRun()
  try {
    await using snapshot = await sqlite.open('db', { path, timeout }).snapshot(run.context)
    throw new Error(`there is a snapshot of ${snapshot.takenAt.toISOString()}`)
  } catch (error) {
    if (!isSealiftError(error)) throw error
    assert.deepEqual(readdirSync(run.context.scratch), [])
    return { code: error.code, message: error.message }
  }
}

suite('a snapshot of a SQLite database', () => {
  for (const name of [
    'with space.db',
    'que?ry#hash.db',
    '100%25.db',
    'naïve-数据.db',
    "quo'te\n.db",
    '-wal',
  ]) {
    test(`carries the name ${JSON.stringify(name)}`, async () => {
      await using folder = await testFolder()
      makeDatabase(folder.join(name), 5)
      const taken = await takeOne(sqlite.open('db', { path: folder.join(name) }))
      assert.equal(taken.path, name)
      assert.equal(await readCopy(taken.bytes, (db) => count(db, 'entry')), 5)
      assert.ok(readdirSync(folder.path).every((file) => file.startsWith(name)))
    })
  }

  test('holds what is committed but still in the log, and nothing that is not committed', async () => {
    await using folder = await testFolder()
    makeDatabase(folder.join('app.db'), 1)
    using db = openDatabase(folder.join('app.db'))
    db.exec('PRAGMA wal_autocheckpoint = 0')
    addRows(db, 499)
    db.exec("BEGIN; INSERT INTO entry (text) VALUES ('not yet')")
    const source = sqlite.open('db', { path: folder.join('app.db') })
    const taken = await takeOne(source)
    db.exec('ROLLBACK')
    assert.equal(await readCopy(taken.bytes, (copy) => count(copy, 'entry')), 500)
    assert.deepEqual(taken.description.rows, { entry: 500 })
    assert.ok((await source.estimate(new AbortController().signal)) >= taken.bytes.length)
  })

  test('says what it is', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    using db = openDatabase(path)
    db.exec('PRAGMA page_size = 8192; PRAGMA user_version = 7; PRAGMA application_id = 42')
    db.exec('PRAGMA journal_mode = wal')
    db.exec('CREATE TABLE "we""ird; --" (a); INSERT INTO "we""ird; --" VALUES (1), (2)')
    db.exec('CREATE TABLE __proto__ (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO __proto__ VALUES (1)')
    db.exec("CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES ('a'), ('b'), ('c')")
    db.exec('CREATE VIEW two AS SELECT 1 UNION SELECT 2')
    const { description } = await takeOne(sqlite.open('db', { path }))
    const { page_count, schema_sha256, ...facts } = description.facts
    assert.deepEqual(facts, {
      page_size: 8192,
      user_version: 7,
      application_id: 42,
      encoding: 'UTF-8',
      journal_mode: 'wal',
    })
    assert.equal(Number(page_count), Number(db.prepare('PRAGMA page_count').get()?.['page_count']))
    assert.match(JSON.stringify(schema_sha256), /^"[0-9a-f]{64}"$/)
    assert.deepEqual(description.versions, { sqlite: process.versions['sqlite'] })
    assert.equal(description.rows?.['we"ird; --'], 2)
    assert.equal(Object.getOwnPropertyDescriptor(description.rows, '__proto__')?.value, 1)
    assert.equal(description.rows['words'], 3)
    assert.ok(!('two' in description.rows) && !('sqlite_sequence' in description.rows))
    assert.deepEqual(description.warnings, [])
  })

  test('has the mode, owner and time of the live file', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    makeDatabase(path, 1, 'delete')
    chmodSync(path, 0o640)
    if (process.getuid?.() === 0) chownSync(path, 1234, 1235)
    const taken = await takeOne(sqlite.open('db', { path }))
    const { uid, mtimeNs } = statSync(path, { bigint: true })
    assert.deepEqual([taken.mode, taken.uid], [0o640, Number(uid)])
    assert.equal(taken.mtimeMs, Number(mtimeNs / 1000n) / 1000)
  })

  test('of a stopped WAL database leaves sidecars that belong to the owner of the database', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    makeDatabase(path, 1, 'wal')
    if (process.getuid?.() === 0) chownSync(path, 1234, 1235)
    const { description } = await takeOne(sqlite.open('db', { path }))
    assert.deepEqual(description.warnings, [])
    const owner = ({ uid, gid }: { uid: number; gid: number }): string => `${uid}:${gid}`
    for (const sidecar of readdirSync(folder.path)) {
      assert.equal(owner(statSync(folder.join(sidecar))), owner(statSync(path)), sidecar)
    }
    using db = openDatabase(path)
    addRows(db, 1)
  })

  test('waits for a writer that lets go, and gives up on one that does not', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    makeDatabase(path, 1, 'delete')
    using db = openDatabase(path)
    db.exec('BEGIN EXCLUSIVE')
    const busy = await failure(path, 0.5)
    assert.equal(busy.code, 'SOURCE_BUSY')
    assert.match(busy.message, /stayed locked for 0\.5 s/)
    const waiting = takeOne(sqlite.open('db', { path, timeout: 30 }))
    await new Promise((resolve) => setTimeout(resolve, 200))
    db.exec("INSERT INTO entry (text) VALUES ('while it waited'); COMMIT")
    assert.deepEqual((await waiting).description.rows, { entry: 2 })
  })

  test('of an empty file is an empty database, with a warning', async () => {
    await using folder = await testFolder()
    await writeFile(folder.join('empty.db'), '')
    const { bytes, description } = await takeOne(sqlite.open('db', { path: folder.join('empty.db') }))
    assert.deepEqual(
      description.warnings.map(({ code }) => code),
      ['sqlite-empty'],
    )
    assert.deepEqual(description.rows, {})
    assert.equal(await readCopy(bytes, (db) => count(db, 'sqlite_schema')), 0)
    assert.equal(statSync(folder.join('empty.db')).size, 0)
  })

  test('rolls back what a crashed writer left, and says so', async () => {
    await using folder = await testFolder()
    const path = folder.join('crashed.db')
    makeDatabase(folder.join('app.db'), 2000, 'delete')
    {
      using db = openDatabase(folder.join('app.db'))
      db.exec("PRAGMA cache_size = 5; BEGIN; UPDATE entry SET text = 'half done'")
      await writeFile(path, await readFile(folder.join('app.db')))
      await writeFile(`${path}-journal`, await readFile(folder.join('app.db-journal')))
    }
    const { bytes, description } = await takeOne(sqlite.open('db', { path }))
    assert.deepEqual(
      description.warnings.map(({ code }) => code),
      ['sqlite-recovered'],
    )
    assert.equal(await readCopy(bytes, (db) => count(db, "entry WHERE text = 'half done'")), 0)
  })

  test('follows a symlink to the database and keeps the configured name', async () => {
    await using folder = await testFolder()
    mkdirSync(folder.join('real'))
    const [path, real] = [folder.join('link.db'), folder.join('real', 'app.db')]
    makeDatabase(real, 1)
    using db = openDatabase(real)
    db.exec('PRAGMA wal_autocheckpoint = 0')
    addRows(db, 2)
    await symlink(real, path)
    const source = sqlite.open('db', { path })
    const taken = await takeOne(source)
    assert.equal(taken.path, 'link.db')
    assert.deepEqual(taken.description.rows, { entry: 3 })
    const sidecars = ['', '-wal', '-shm', '-journal']
    const claims = [path, real].flatMap((file) => sidecars.map((sidecar) => file + sidecar))
    assert.deepEqual(new Set(source.claims()), new Set(claims))
    assert.deepEqual(source.place, { path, type: 'file' })
    assert.deepEqual(readdirSync(folder.path).sort(), ['link.db', 'real'])
    assert.ok(lstatSync(path).isSymbolicLink())
  })

  test('is given with a warning where only the application can check it', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    {
      using db = openDatabase(path)
      db.enableDefensive(false)
      db.exec('CREATE TABLE names (name TEXT COLLATE nocase); CREATE INDEX by_name ON names (name)')
      db.exec("INSERT INTO names VALUES ('a')")
      db.exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'nocase', 'theirs')")
    }
    const { description, recorded } = await takeOne(sqlite.open('db', { path }))
    assert.deepEqual(
      description.warnings.map(({ code }) => code),
      ['sqlite-unchecked'],
    )
    assert.deepEqual(description.rows, { names: 1 })
    const findings = await sqlite.checkRestored(path, recorded, new AbortController().signal)
    assert.deepEqual(
      findings.map(({ verdict }) => verdict),
      ['attention', 'ok', 'ok'],
    )
  })
})

suite('a path that gives no snapshot', () => {
  test('is told apart: text, folder, damage, unreadable', async () => {
    await using folder = await testFolder()
    await writeFile(folder.join('text'), 'this is a text that is no database, '.repeat(100))
    assert.equal((await failure(folder.join('text'))).code, 'SOURCE_NOT_SQLITE')
    assert.match((await failure(folder.path)).message, /is no SQLite database: it is a folder/)
    await symlink('loop', folder.join('loop'))
    assert.equal((await failure(folder.join('loop'))).code, 'SOURCE_UNREADABLE')
    assert.equal((await failure(folder.join('text', 'below'))).code, 'SOURCE_NOT_FOUND')

    makeDatabase(folder.join('wal.db'), 1, 'wal')
    mkdirSync(folder.join('wal.db-wal'))
    assert.equal((await failure(folder.join('wal.db'))).code, 'SOURCE_UNREADABLE')
  })

  test('is corrupt: a page that was overwritten, a file that was cut', async () => {
    await using folder = await testFolder()
    const path = folder.join('app.db')
    makeDatabase(path, 2000, 'delete')
    const sound = await readFile(path)
    await writeFile(path, Buffer.from(sound).fill(0x5a, 4096 * 5, 4096 * 8))
    assert.equal((await failure(path)).code, 'SOURCE_CORRUPT')
    await writeFile(path, sound)
    await truncate(path, 4096 * 10)
    assert.equal((await failure(path)).code, 'SOURCE_CORRUPT')
  })
})

test('a copy for which there is no space is not begun', async () => {
  await using folder = await testFolder()
  makeDatabase(folder.join('huge.db'), 1)
  await truncate(folder.join('huge.db'), 15 * 2 ** 40)
  assert.equal((await failure(folder.join('huge.db'))).code, 'DISK_FULL')
})

test('the options are strict and say what they are', () => {
  assert.deepEqual(sqliteOptions.parse({ path: '/a' }), { path: '/a', timeout: 120 })
  assert.throws(() => sqliteOptions.parse({ path: '/a', timeout: 0 }))
  assert.throws(() => sqliteOptions.parse({ path: '/a', tiemout: 1 }))
})
