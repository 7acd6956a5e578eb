import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RowModel } from '../../src/rows/model.ts'
import { planOf } from '../../src/rows/plan.ts'
import type { Row, RowStore } from '../../src/rows/store.ts'
import { hasCode } from '../support/stored.ts'

/** A fresh, empty database. Disposed after each test. */
export interface RowsUnderTest extends AsyncDisposable {
  readonly store: RowStore
  /** By another connection, committed. */
  readonly exec: (sql: string) => Promise<void>
  /** The rows of a query as text, by another connection. */
  readonly texts: (sql: string) => Promise<(string | null)[][]>
}

/** Where databases differ in what they call things: declared here, and tested alike. */
export interface RowsDialect {
  /** A column `id` that counts by itself, as the primary key. */
  readonly counter: string
  /** Statements that make a trigger named `meddle` on `child`, which sets `note` of each new row to `meddled`. */
  readonly trigger: readonly string[]
  /** All definitions of a database as text: tables, triggers, constraints. */
  readonly definitions: string
  /** Values that a careless trip changes: type of the column, and the literal. */
  readonly values: readonly (readonly [type: string, literal: string])[]
}

const SCHEMA = [
  'CREATE TABLE parent (id text PRIMARY KEY, name text UNIQUE)',
  'CREATE TABLE child (id text PRIMARY KEY, parent_id text NOT NULL REFERENCES parent(id) ON DELETE CASCADE, boss_id text REFERENCES child(id) ON DELETE CASCADE, note text, twice text GENERATED ALWAYS AS (note || note) STORED)',
  "INSERT INTO parent VALUES ('p1', 'one'), ('p2', NULL)",
  "INSERT INTO child VALUES ('c1', 'p1', NULL, 'x'), ('c2', 'p1', 'c1', '')",
]
const model: RowModel = { persisted: ['child', 'parent'], ephemeral: [], kept: [], secrets: [] }
const signal = new AbortController().signal

export async function* batches(
  ...rows: readonly (readonly Row[])[]
): AsyncGenerator<readonly Row[], void, undefined> {
  yield* rows
}

const text = (value: string | null): string => JSON.stringify(value)

/** The contract of src/rows/store.ts. Every kind of store passes it. */
export function rowsSuite(kind: string, make: () => Promise<RowsUnderTest>, dialect: RowsDialect): void {
  void describe(`rows of ${kind}`, () => {
    const holds = (
      behaviour: string,
      check: (under: RowsUnderTest) => Promise<void>,
      { schema = SCHEMA }: { schema?: readonly string[] } = {},
    ): void => {
      void test(behaviour, async () => {
        await using under = await make()
        for (const sql of schema) {
          const generated = sql.startsWith('INSERT INTO child')
            ? sql.replace('child VALUES', 'child (id, parent_id, boss_id, note) VALUES')
            : sql
          await under.exec(generated)
        }
        await check(under)
      })
    }
    const childColumns = ['id', 'parent_id', 'boss_id', 'note']
    const child = (id: string, parent: string, boss: string | null = null): Row => [
      text(id),
      text(parent),
      text(boss),
      text('new'),
    ]

    holds('the catalogue tells columns, keys and references', async ({ store }) => {
      await using snapshot = await store.snapshot(signal)
      const [child, parent] = ['child', 'parent'].map((name) => snapshot.catalog.tables.get(name))
      assert.deepEqual(
        child?.columns.map(({ name, nullable, generated }) => [name, nullable, generated]),
        [
          ['id', false, false],
          ['parent_id', false, false],
          ['boss_id', true, false],
          ['note', true, false],
          ['twice', true, true],
        ],
      )
      assert.deepEqual(
        [child.primaryKey, parent?.primaryKey, parent?.uniqueKeys],
        [['id'], ['id'], [['name']]],
      )
      assert.deepEqual(
        child.references
          .map(({ columns, table, targetColumns }) => [columns, table, targetColumns])
          .sort((one, other) => String(one).localeCompare(String(other))),
        [
          [['boss_id'], 'child', ['id']],
          [['parent_id'], 'parent', ['id']],
        ],
      )
      const plan = planOf(model, snapshot.catalog)
      assert.deepEqual(
        plan.tables.map(({ name }) => name),
        ['parent', 'child'],
      )
      assert.deepEqual(plan.tables[1]?.columns, childColumns)
    })

    holds(
      'every value comes out of a trip as it went in',
      async ({ store, texts, exec }) => {
        const columns = dialect.values.map((_, at) => `v${at}`)
        const list = columns.map((name) => `"${name}"`).join(', ')
        await exec(
          `CREATE TABLE vals (n integer PRIMARY KEY, ${dialect.values.map(([type], at) => `v${at} ${type}`).join(', ')})`,
        )
        await exec(`INSERT INTO vals VALUES (1, ${dialect.values.map(([, literal]) => literal).join(', ')})`)
        await exec(`INSERT INTO vals VALUES (2, ${columns.map(() => 'NULL').join(', ')})`)
        const before = await texts(`SELECT ${list} FROM vals ORDER BY n`)
        const rows: Row[] = []
        {
          await using snapshot = await store.snapshot(signal)
          for await (const batch of snapshot.rows('vals', ['n', ...columns])) rows.push(...batch)
        }
        assert.equal(rows.length, 2)
        for (const row of rows) for (const cell of row) assert.doesNotThrow(() => JSON.parse(cell), cell)
        {
          await using change = await store.transaction(signal)
          await change.begin(['vals'])
          assert.deepEqual(await change.clear(['vals']), new Map([['vals', 2]]))
          assert.equal(await change.insert('vals', ['n', ...columns], batches(rows)), 2)
          await change.settle()
          await change.commit()
        }
        assert.deepEqual(await texts(`SELECT ${list} FROM vals ORDER BY n`), before)
        await using again = await store.snapshot(signal)
        const second = (await Array.fromAsync(again.rows('vals', ['n', ...columns]))).flat()
        assert.deepEqual(second, rows)
      },
      { schema: [] },
    )

    holds(
      'a snapshot shows one moment, whatever is written meanwhile, in batches',
      async ({ store, exec }) => {
        await exec('CREATE TABLE many (n integer PRIMARY KEY)')
        const numbers = Array.from({ length: 2500 }, (_, n) => `(${n})`).join(', ')
        await exec(`INSERT INTO many VALUES ${numbers}`)
        await using snapshot = await store.snapshot(signal)
        let count = 0
        for await (const batch of snapshot.rows('many', ['n'])) {
          if (count === 0) await exec('DELETE FROM many')
          assert.ok(batch.length <= 1000)
          count += batch.length
        }
        assert.equal(count, 2500)
      },
      { schema: [] },
    )

    holds('rows go in in any order, with their own keys, and triggers stay silent', async (under) => {
      for (const sql of dialect.trigger) await under.exec(sql)
      const before = await under.texts(dialect.definitions)
      {
        await using change = await under.store.transaction(signal)
        await change.begin(['child', 'parent'])
        assert.deepEqual(
          [...(await change.clear(['child', 'parent']))],
          [
            ['child', 2],
            ['parent', 2],
          ],
        )
        const rows = [child('b', 'q', 'a'), child('a', 'q')]
        assert.equal(await change.insert('child', childColumns, batches(rows.slice(0, 1), rows.slice(1))), 2)
        assert.equal(await change.insert('parent', ['id', 'name'], batches([[text('q'), 'null']])), 1)
        assert.deepEqual(
          await under.texts('SELECT id FROM parent ORDER BY id'),
          [['p1'], ['p2']],
          'not yet seen',
        )
        await change.settle()
        await change.commit()
      }
      assert.deepEqual(await under.texts('SELECT id, note, twice FROM child ORDER BY id'), [
        ['a', 'new', 'newnew'],
        ['b', 'new', 'newnew'],
      ])
      assert.deepEqual(await under.texts(dialect.definitions), before)
      await under.exec("INSERT INTO child (id, parent_id, note) VALUES ('z', 'q', 'z')")
      assert.deepEqual(await under.texts("SELECT note FROM child WHERE id = 'z'"), [['meddled']])
    })

    holds('without a commit everything is as it was', async (under) => {
      for (const sql of dialect.trigger) await under.exec(sql)
      const all = async () => [
        await under.texts(dialect.definitions),
        await under.texts('SELECT * FROM child ORDER BY id'),
        await under.texts('SELECT * FROM parent ORDER BY id'),
      ]
      const before = await all()
      for (const far of ['begin', 'clear', 'insert', 'settle'] as const) {
        await using change = await under.store.transaction(signal)
        await change.begin(['child', 'parent'])
        if (far === 'begin') continue
        await change.clear(['child', 'parent'])
        if (far === 'clear') continue
        await change.insert('parent', ['id', 'name'], batches([[text('q'), 'null']]))
        if (far === 'insert') continue
        await change.settle()
      }
      assert.deepEqual(await all(), before)
    })

    holds(
      'a row that refers to nothing is refused when all are in, and nothing has changed',
      async (under) => {
        const before = await under.texts('SELECT * FROM child ORDER BY id')
        {
          await using change = await under.store.transaction(signal)
          await change.begin(['child', 'parent'])
          await change.clear(['child', 'parent'])
          await change.insert('child', childColumns, batches([child('a', 'nobody')]))
          await assert.rejects(
            change.settle(),
            (error: Error) => hasCode('ROWS_REFUSED')(error) && /child/.test(error.message),
          )
        }
        assert.deepEqual(await under.texts('SELECT * FROM child ORDER BY id'), before)
      },
    )

    holds(
      'a row that the table does not take is refused, naming table and row, and not quoted',
      async ({ store }) => {
        const bad: [Row[], RegExp][] = [
          [[child('a', 'p1'), ['"hunter2"', 'null', 'null', 'null']], /child, row 2/],
          [[child('c1', 'p1')], /child/],
          [[['"x"', '"p1"', 'null', '{"what":"hunter2"}']], /child, row 1/],
        ]
        for (const [rows, message] of bad) {
          await using change = await store.transaction(signal)
          await change.begin(['child', 'parent'])
          await assert.rejects(change.insert('child', childColumns, batches(rows)), (error: Error) => {
            assert.ok(hasCode('ROWS_REFUSED')(error), String(error))
            assert.match(error.message, message)
            assert.doesNotMatch(error.message, /hunter2/)
            return true
          })
        }
      },
    )

    holds(
      'a merge keeps what is there, counts what it skips and reports what does not fit',
      async (under) => {
        await using change = await under.store.transaction(signal)
        await change.begin(['child', 'parent'])
        const people = [
          [text('p1'), text('renamed')],
          [text('p3'), text('three')],
          [text('p4'), text('one')],
          [text('p5'), 'null'],
        ]
        assert.deepEqual(
          await change.merge('parent', ['id', 'name'], ['id'], batches(people.slice(0, 2), people.slice(2))),
          {
            imported: 2,
            skipped: 1,
            conflicts: [{ table: 'parent', row: 'p4', reason: 'unique', existing: 'p1' }],
          },
        )
        const rows = [
          child('c1', 'p1'),
          child('k1', 'p3'),
          child('k2', 'p4'),
          child('k3', 'p5', 'k2'),
          child('k4', 'p5', 'c2'),
        ]
        const merged = await change.merge('child', childColumns, ['id'], batches(rows))
        assert.deepEqual(merged, { imported: 4, skipped: 1, conflicts: [] })
        const dropped = await change.dropDangling()
        assert.deepEqual(dropped.map(({ table, row, reason }) => `${table} ${row} ${reason}`).sort(), [
          'child k2 reference',
          'child k3 reference',
        ])
        await change.settle()
        await change.commit()
        assert.deepEqual(await under.texts('SELECT id FROM child ORDER BY id'), [
          ['c1'],
          ['c2'],
          ['k1'],
          ['k4'],
        ])
        assert.deepEqual(await under.texts("SELECT name FROM parent WHERE id = 'p1'"), [['one']])
      },
    )

    holds('a merge of the same rows again adds none', async ({ store }) => {
      await using change = await store.transaction(signal)
      await change.begin(['child', 'parent'])
      const merged = await change.merge(
        'child',
        childColumns,
        ['id'],
        batches([child('c1', 'p1'), child('c2', 'p1')]),
      )
      assert.deepEqual(merged, { imported: 0, skipped: 2, conflicts: [] })
      assert.deepEqual(await change.dropDangling(), [])
    })

    holds(
      'a counter goes on behind the larger of what it was and what came, and back with the rest',
      async ({ store, exec, texts }) => {
        await exec(`CREATE TABLE counted (${dialect.counter}, t text)`)
        await exec("INSERT INTO counted (t) VALUES ('a'), ('b')")
        const states = async () => {
          await using snapshot = await store.snapshot(signal)
          return await snapshot.sequences()
        }
        assert.deepEqual(await states(), new Map([['counted.id', { lastValue: '2', isCalled: true }]]))
        const load = async (lastValue: string, id: string, commit: boolean) => {
          await using change = await store.transaction(signal)
          await change.begin(['counted'])
          await change.clear(['counted'])
          await change.insert('counted', ['id', 't'], batches([[id, '"x"']]))
          await change.raise(new Map([['counted.id', { lastValue, isCalled: true }]]))
          await change.settle()
          if (commit) await change.commit()
        }
        await load('5000', '7', false)
        assert.deepEqual(await states(), new Map([['counted.id', { lastValue: '2', isCalled: true }]]))
        await load('41', '7', true)
        await exec("INSERT INTO counted (t) VALUES ('next')")
        assert.deepEqual(await texts('SELECT id FROM counted ORDER BY id'), [['7'], ['42']])
        await load('3', '9007199254740993', true)
        await exec("INSERT INTO counted (t) VALUES ('next')")
        assert.deepEqual(await texts('SELECT id FROM counted ORDER BY id'), [
          ['9007199254740993'],
          ['9007199254740994'],
        ])
      },
      { schema: [] },
    )

    holds('a profile asks in its own words, on the same connection', async ({ store }) => {
      {
        await using change = await store.transaction(signal)
        await change.begin(['child', 'parent'])
        await change.insert('parent', ['id', 'name'], batches([[text('q'), text('café')]]))
        assert.deepEqual(await change.query("SELECT name, 7 AS n, NULL AS z FROM parent WHERE id = 'q'"), [
          { name: 'café', n: '7', z: null },
        ])
      }
      await using snapshot = await store.snapshot(signal)
      assert.deepEqual(await snapshot.query("SELECT name FROM parent WHERE id = 'q'"), [])
    })

    holds('an abort ends what runs, and changes nothing', async (under) => {
      const controller = new AbortController()
      const reason = new Error('stop')
      {
        await using change = await under.store.transaction(controller.signal)
        await change.begin(['child', 'parent'])
        await change.clear(['child', 'parent'])
        controller.abort(reason)
        await assert.rejects(change.commit())
      }
      await assert.rejects(under.store.snapshot(controller.signal), reason)
      await assert.rejects(under.store.transaction(controller.signal), reason)
      assert.deepEqual(await under.texts('SELECT id FROM parent ORDER BY id'), [['p1'], ['p2']])
    })
  })
}
