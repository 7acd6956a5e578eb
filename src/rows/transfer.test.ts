import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { hasCode } from '../../test/support/stored.ts'
import { Secret } from '../secret.ts'
import { keyringOf, type Keyring } from './keyring.ts'
import type { RowModel } from './model.ts'
import type { RowArchive, TableRows } from './row-archive.ts'
import { sqliteStore } from './sqlite.ts'
import type { Row } from './store.ts'
import { exportRows } from './transfer-export.ts'
import { importRows, type ImportOptions, type ImportReport } from './transfer-import.ts'

const root = await mkdtemp(join(tmpdir(), 'sealift-transfer-'))
after(() => rm(root, { recursive: true }))
const signal = new AbortController().signal

/** A keyring that shows what was done: `A:domain:text`. */
function ring(letter: string): Keyring {
  return keyringOf(letter, [
    {
      name: 'letter',
      recognises: (stored) => /^[A-Z]:/.test(stored),
      open: (domain, stored) =>
        stored.startsWith(`${letter}:${domain}:`)
          ? new Secret(stored.slice(letter.length + domain.length + 2))
          : 'key-or-change',
      wrap: (domain, secret) => `${letter}:${domain}:${secret.reveal()}`,
    },
  ])
}

const model: RowModel = {
  persisted: ['notes', 'people'],
  ephemeral: ['sessions'],
  kept: ['migrations'],
  secretSuffix: '_enc',
  secrets: [
    { table: 'people', column: 'pin_enc', domain: 'pin' },
    { table: 'notes', column: 'body_enc', domain: 'note' },
  ],
}

const SCHEMA = `
  CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT UNIQUE, pin_enc TEXT);
  CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT REFERENCES people(id), body_enc TEXT NOT NULL);
  CREATE TABLE sessions (id TEXT, person TEXT REFERENCES people(id) ON DELETE CASCADE);
  CREATE TABLE migrations (version INTEGER)`

let count = 0
function database(...sql: string[]): string {
  const path = join(root, `${++count}.db`)
  using db = new DatabaseSync(path)
  db.exec(`PRAGMA journal_mode = WAL; ${SCHEMA}; ${sql.join(';')}`)
  return path
}

function all(path: string, sql: string): unknown[][] {
  using db = new DatabaseSync(path)
  return db
    .prepare(sql)
    .all()
    .map((row) => Object.values(row))
}

const PEOPLE = "INSERT INTO people VALUES ('p1', 'one', 'A:pin:1234'), ('p2', 'two', NULL)"
const NOTES = "INSERT INTO notes VALUES (7, 'p1', 'A:note:hello'), (8, 'p2', 'A:note:')"

/** An export, kept: the summary is what an archive would have had before its rows. */
async function exported(path: string, keyring = ring('A'), failOnUndecryptable = false, only = model) {
  await using snapshot = await sqliteStore({ path }).snapshot(signal)
  const work = await exportRows({ snapshot, model: only, keyring, failOnUndecryptable })
  const tables: { name: string; columns: readonly string[]; rows: Row[] }[] = []
  for await (const { name, columns, rows } of work.tables())
    tables.push({ name, columns, rows: (await Array.fromAsync(rows)).flat() })
  const report = work.report()
  const archive: RowArchive = {
    summary: {
      tables: new Map(tables.map((one) => [one.name, { rows: one.rows.length, columns: one.columns }])),
      secretColumns: work.secretColumns,
      skippedSecrets: report.skipped,
      sequences: work.sequences,
      keyCheck: work.keyCheck,
    },
    async *tables(): AsyncGenerator<TableRows> {
      async function* inTwos(rows: readonly Row[]) {
        for (let at = 0; at < rows.length; at += 2) yield rows.slice(at, at + 2)
      }
      for (const { name, columns, rows } of tables) yield { name, columns, rows: inTwos(rows) }
    },
  }
  return { archive, report, tables }
}

async function imported(
  path: string,
  archive: RowArchive,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  await using transaction = await sqliteStore({ path }).transaction(signal)
  return await importRows({
    transaction,
    archive,
    model,
    keyring: ring('B'),
    mode: 'replace',
    release: 'same',
    ...options,
  })
}

describe('an export', () => {
  it('has every row, its secrets in plaintext, parents first', async () => {
    const { tables, report, archive } = await exported(
      database(PEOPLE, NOTES, "INSERT INTO sessions VALUES ('s', 'p1')"),
    )
    assert.deepEqual(tables, [
      {
        name: 'people',
        columns: ['id', 'name', 'pin_enc'],
        rows: [
          ['"p1"', '"one"', '"1234"'],
          ['"p2"', '"two"', 'null'],
        ],
      },
      {
        name: 'notes',
        columns: ['id', 'person', 'body_enc'],
        rows: [
          ['7', '"p1"', '"hello"'],
          ['8', '"p2"', '""'],
        ],
      },
    ])
    assert.deepEqual(report, { rows: { people: 2, notes: 2 }, secrets: 3, skipped: [] })
    assert.deepEqual(archive.summary.sequences, new Map([['notes.id', { lastValue: '8', isCalled: true }]]))
  })

  it('leaves out a secret that does not open, and names it', async () => {
    const path = database(
      PEOPLE,
      "INSERT INTO notes VALUES (7, 'p1', 'A:note:x'), (9, 'p1', 'C:note:y'), (10, 'p1', 'junk')",
    )
    const { report, tables } = await exported(path)
    assert.deepEqual(report.skipped, [
      { table: 'notes', column: 'body_enc', row: '9', reason: 'key-or-change' },
      { table: 'notes', column: 'body_enc', row: '10', reason: 'unknown-prefix' },
    ])
    assert.equal(report.secrets, 2)
    assert.deepEqual(
      tables[1]?.rows.map((row) => row[2]),
      ['"x"', 'null', 'null'],
    )
    await assert.rejects(exported(path, ring('A'), true), {
      code: 'ROWS_UNDECRYPTABLE',
      data: { count: 2, first: report.skipped },
    })
  })

  it('with keys that open nothing is refused, whatever was asked for', async () => {
    await assert.rejects(exported(database(PEOPLE, NOTES), ring('B')), {
      code: 'ROWS_KEYRING_WRONG',
      data: { secrets: 3 },
    })
    assert.equal((await exported(database(), ring('B'))).report.secrets, 0)
  })

  it('of a database with a table that has no class is refused before a row is read', async () => {
    await assert.rejects(exported(database('CREATE TABLE extra (x_enc TEXT)')), {
      code: 'ROWS_UNCLASSIFIED',
      data: { unclassified: ['table extra', 'column extra.x_enc'] },
    })
  })
})

describe('an import that replaces', () => {
  it('leaves the rows of the archive, wrapped under the keys of the destination', async () => {
    const { archive } = await exported(database(PEOPLE, NOTES))
    const path = database(
      "INSERT INTO people VALUES ('old', 'old', 'B:pin:0')",
      "INSERT INTO notes VALUES (1, 'old', 'B:note:0')",
      "INSERT INTO sessions VALUES ('s', 'old')",
      'INSERT INTO migrations VALUES (12)',
    )
    const report = await imported(path, archive)
    assert.deepEqual(all(path, 'SELECT * FROM people ORDER BY id'), [
      ['p1', 'one', 'B:pin:1234'],
      ['p2', 'two', null],
    ])
    assert.deepEqual(all(path, 'SELECT * FROM notes ORDER BY id'), [
      [7, 'p1', 'B:note:hello'],
      [8, 'p2', 'B:note:'],
    ])
    assert.deepEqual(all(path, 'SELECT (SELECT count(*) FROM sessions), (SELECT version FROM migrations)'), [
      [0, 12],
    ])
    const row = { archive: 2, imported: 2, skipped: 0, conflicts: 0, removed: 1 }
    assert.deepEqual(report, {
      mode: 'replace',
      dryRun: false,
      tables: { people: row, notes: row },
      emptied: { sessions: 1 },
      wrapped: 3,
      missingSecrets: [],
      conflicts: [],
      absent: { tables: [], columns: [] },
    })
  })

  it('puts an empty secret where there must be one', async () => {
    const { archive } = await exported(database(PEOPLE, "INSERT INTO notes VALUES (7, 'p1', 'junk')"))
    const path = database()
    const report = await imported(path, archive)
    assert.deepEqual(all(path, 'SELECT body_enc FROM notes'), [['B:note:']])
    assert.deepEqual([report.wrapped, report.missingSecrets.length], [1, 1])
  })

  it('as a dry run says the same and changes nothing', async () => {
    const { archive } = await exported(database(PEOPLE, NOTES))
    const path = database("INSERT INTO people VALUES ('old', 'old', NULL)")
    const dry = await imported(path, archive, { dryRun: true })
    assert.deepEqual(all(path, 'SELECT id FROM people'), [['old']])
    const real = await imported(path, archive)
    assert.deepEqual({ ...dry, dryRun: false }, real)
  })

  it('asks before and after, changes rows on their way, and is undone by a refusal', async () => {
    const { archive } = await exported(database(PEOPLE, NOTES))
    const path = database("INSERT INTO people VALUES ('old', 'old', NULL)")
    const seen: string[] = []
    const change: ImportOptions['change'] = (table, columns) =>
      table === 'people'
        ? (row) => row.map((cell, at) => (columns[at] === 'name' ? '"x" ' : cell).trim()).with(1, 'null')
        : undefined
    const after: ImportOptions['after'] = async (transaction, report) => {
      seen.push(`after ${report.tables['people']?.imported}`)
      seen.push(
        JSON.stringify(await transaction.query('SELECT count(*) AS n FROM people WHERE name IS NULL')),
      )
      throw new Error('no')
    }
    const before: ImportOptions['before'] = async (transaction) => {
      seen.push(JSON.stringify(await transaction.query('SELECT id FROM people')))
    }
    await assert.rejects(imported(path, archive, { before, after, change }), /^Error: no$/)
    assert.deepEqual(seen, ['[{"id":"old"}]', 'after 2', '[{"n":"2"}]'])
    assert.deepEqual(all(path, 'SELECT id FROM people'), [['old']])
  })

  it('of an archive that does not fit is refused, naming what, before anything is changed', async () => {
    const { archive } = await exported(database(PEOPLE, NOTES))
    const { summary } = archive
    const people = { rows: 2, columns: ['id', 'name', 'pin_enc'] }
    const cases: [Partial<RowArchive['summary']>, RegExp][] = [
      [{ tables: new Map([...summary.tables, ['more', { rows: 0, columns: [] }]]) }, /^more: /],
      [{ tables: new Map([...summary.tables, ['sessions', { rows: 0, columns: [] }]]) }, /^sessions: /],
      [{ tables: new Map([['people', people]]) }, /^notes: the archive does not have it/],
      [
        { tables: new Map([...summary.tables, ['people', { rows: 2, columns: [...people.columns, 'x'] }]]) },
        /^people, column x: /,
      ],
      [
        { tables: new Map([...summary.tables, ['people', { rows: 2, columns: ['id', 'pin_enc'] }]]) },
        /^people, column name: /,
      ],
      [{ secretColumns: [] }, /^people, column pin_enc: the archive does not say/],
      [
        { secretColumns: [...summary.secretColumns, { table: 'people', column: 'name', domain: 'pin' }] },
        /^people, column name: /,
      ],
      [
        { secretColumns: summary.secretColumns.map((one) => ({ ...one, domain: 'pin' })) },
        /^notes, column body_enc: /,
      ],
      [
        { tables: new Map([...summary.tables, ['people', { ...people, rows: 3 }]]) },
        /^people: the archive has other rows/,
      ],
    ]
    const path = database("INSERT INTO people VALUES ('old', 'old', NULL)")
    for (const [change, message] of cases) {
      const other = { ...archive, summary: { ...summary, ...change } }
      await assert.rejects(imported(path, other), (error: Error) => {
        assert.ok(hasCode('ROWS_REFUSED')(error), String(error))
        assert.match(error.message, message)
        return true
      })
    }
    assert.deepEqual(all(path, 'SELECT id FROM people'), [['old']])
  })

  it('of an older archive fills in what it does not have, and says so', async () => {
    const { archive } = await exported(database(PEOPLE, NOTES))
    const path = database('ALTER TABLE people ADD COLUMN age INTEGER', 'CREATE TABLE plans (id TEXT)')
    const newer = { ...model, persisted: [...model.persisted, 'plans'] }
    const report = await imported(path, archive, { model: newer, release: 'older' })
    assert.deepEqual(report.absent, { tables: ['plans'], columns: ['people.age'] })
    const strict = database('ALTER TABLE people ADD COLUMN age INTEGER NOT NULL DEFAULT 3')
    assert.deepEqual((await imported(strict, archive, { release: 'older' })).absent.columns, ['people.age'])
    assert.deepEqual(all(strict, 'SELECT DISTINCT age FROM people'), [[3]])
    await assert.rejects(imported(path, archive, { model: newer }), /plans: the archive does not have it/)
  })

  it('of rows that refer to nothing is refused, and nothing has changed', async () => {
    const { archive } = await exported(database("INSERT INTO people VALUES ('p1', NULL, NULL)"))
    const broken: RowArchive = {
      summary: {
        ...archive.summary,
        tables: new Map([
          ...archive.summary.tables,
          ['notes', { rows: 1, columns: ['id', 'person', 'body_enc'] }],
        ]),
      },
      async *tables() {
        for await (const table of archive.tables()) if (table.name !== 'notes') yield table
        async function* rows() {
          yield [['1', '"nobody"', '"x"']]
        }
        yield { name: 'notes', columns: ['id', 'person', 'body_enc'], rows: rows() }
      },
    }
    const path = database("INSERT INTO people VALUES ('old', 'old', NULL)")
    await assert.rejects(imported(path, broken), hasCode('ROWS_REFUSED'))
    assert.deepEqual(all(path, 'SELECT id FROM people'), [['old']])
  })
})

describe('an import that merges', () => {
  it('keeps what is there, and its counts add up', async () => {
    const { archive } = await exported(
      database(
        PEOPLE,
        "INSERT INTO people VALUES ('p3', 'taken', NULL)",
        NOTES,
        "INSERT INTO notes VALUES (20, 'p3', 'A:note:z')",
      ),
    )
    const path = database(
      "INSERT INTO people VALUES ('p1', 'mine', 'B:pin:9'), ('q', 'taken', NULL)",
      "INSERT INTO sessions VALUES ('s', 'q')",
    )
    const report = await imported(path, archive, { mode: 'merge' })
    assert.deepEqual(report.tables, {
      people: { archive: 3, imported: 1, skipped: 1, conflicts: 1, removed: 0 },
      notes: { archive: 3, imported: 2, skipped: 0, conflicts: 1, removed: 0 },
    })
    assert.deepEqual(
      report.conflicts.map(({ table, row, reason, existing }) => [table, row, reason, existing]),
      [
        ['people', 'p3', 'unique', 'q'],
        ['notes', '20', 'reference', 'person → people'],
      ],
    )
    for (const { archive: rows, imported, skipped, conflicts } of Object.values(report.tables))
      assert.equal(imported + skipped + conflicts, rows)
    assert.deepEqual(all(path, 'SELECT * FROM people ORDER BY id'), [
      ['p1', 'mine', 'B:pin:9'],
      ['p2', 'two', null],
      ['q', 'taken', null],
    ])
    assert.deepEqual(all(path, 'SELECT count(*) FROM sessions'), [[1]])
    const again = await imported(path, archive, { mode: 'merge' })
    assert.deepEqual(
      Object.values(again.tables).map(({ imported }) => imported),
      [0, 0],
    )
  })
})
