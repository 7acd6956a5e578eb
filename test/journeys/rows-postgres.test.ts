import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { postgresStore } from '../../src/rows/postgres.ts'
import type { Row, RowStore } from '../../src/rows/store.ts'
import { batches, rowsSuite } from '../suites/rows.ts'
import { startPostgres } from '../support/postgres-cluster.ts'
import { beside, freshRows } from '../support/postgres-rows.ts'
import { hasCode } from '../support/stored.ts'

const cluster = await startPostgres()
after(() => cluster[Symbol.asyncDispose]())

rowsSuite('postgres', () => freshRows(cluster), {
  counter: 'id bigserial PRIMARY KEY',
  trigger: [
    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := 'meddled'; RETURN new; END $$",
    'CREATE TRIGGER meddle BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION meddle()',
    'CREATE TRIGGER silent BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION meddle()',
    'ALTER TABLE child DISABLE TRIGGER silent',
    'CREATE TRIGGER always BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION meddle()',
    'ALTER TABLE parent ENABLE ALWAYS TRIGGER always',
  ],
  definitions: `
    SELECT 'trigger', tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'constraint', conname, condeferrable::text, pg_get_constraintdef(oid) FROM pg_constraint
    UNION ALL SELECT 'deferred', conname, condeferred::text, '' FROM pg_constraint
    ORDER BY 1, 2, 3, 4`,
  values: [
    ['smallint', '-32768'],
    ['integer', '2147483647'],
    ['bigint', '9007199254740993'],
    ['bigint', '-9223372036854775808'],
    ['numeric', '1.10'],
    ['numeric(38,10)', '1234567890123456789012345678.0123456789'],
    ['numeric', "'1e200'"],
    ['numeric', "'NaN'"],
    ['numeric', "'-Infinity'"],
    ['real', '0.1'],
    ['double precision', '0.1 + 0.2'],
    ['double precision', "'5e-324'"],
    ['double precision', "'-0'"],
    ['double precision', "'NaN'"],
    ['double precision', "'Infinity'"],
    ['boolean', 'false'],
    ['text', "''"],
    ['text', `E'tab\\there\\nline\\r\\\\ \\\\N "quoted" é 🐎'`],
    ['text', "E'\\\\N'"],
    ['text', "E'\\b\\f\\x0b\\x01\\x7f'"],
    ['text', "U&'\\FEFFbom \\2028'"],
    ['varchar(3)', "'a  '"],
    ['char(5)', "'ab'"],
    ['bytea', "'\\x00ff5c0a09'"],
    ['bytea', "''"],
    ['date', "'infinity'"],
    ['date', "'4713-01-01 BC'"],
    ['timestamp', "'2026-04-27 01:02:03.123456'"],
    ['timestamptz', "'2026-04-27 01:02:03.123456+05:30'"],
    ['timestamptz', "'-infinity'"],
    ['timestamp(3)', "'1999-12-31 23:59:59.999'"],
    ['timetz', "'04:05:06.789-08'"],
    ['interval', "'1 year -2 mons 3 days -04:05:06.7'"],
    ['json', `'{"b": 1,  "a" : [1e5, 1.0], "b": 2}'`],
    ['jsonb', `'{"b": 12345678901234567890.10, "a": null}'`],
    ['json', `'"just text"'`],
    ['json', "'null'"],
    ['uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
    ['inet', "'10.0.0.1/8'"],
    ['macaddr', "'08:00:2b:01:02:03'"],
    ['integer[]', "'{1,NULL,3}'"],
    ['text[]', `ARRAY['a,b', '"', '\\', 'NULL', NULL, '', E'\\n']`],
    ['integer[]', "'[0:1][2:3]={{1,2},{3,4}}'"],
    ['numrange', "'[1.5,)'"],
    ['int4multirange', "'{[1,3),[5,7)}'"],
    ['tsrange', "'(2026-01-01 00:00:00.000001, infinity]'"],
    ['bit(5)', "B'10101'"],
    ['varbit', "B''"],
    ['point', "'(0.1,-1e-300)'"],
    ['money', "'-1234.56'"],
    ['tsvector', "'a:1A fat:2 ''it''''s'':3'"],
    ['xml', "'<a>&lt;</a>'"],
    ['oid', '4294967295'],
    ['"char"', "'x'"],
    ['pg_lsn', "'16/B374D848'"],
  ],
})

const signal = new AbortController().signal

async function roundTrip(store: RowStore, table: string, columns: readonly string[]): Promise<number> {
  const rows: Row[] = []
  {
    await using snapshot = await store.snapshot(signal)
    for await (const batch of snapshot.rows(table, columns)) rows.push(...batch)
  }
  await using change = await store.transaction(signal)
  await change.begin([table])
  await change.clear([table])
  const count = await change.insert(table, columns, batches(rows))
  await change.raise(new Map())
  await change.settle()
  await change.commit()
  return count
}

describe('what only PostgreSQL has', () => {
  const prepared = async (...statements: string[]) => {
    const under = await freshRows(cluster)
    for (const sql of statements) await under.exec(sql)
    return under
  }

  test('types of the application itself survive the trip', async () => {
    await using under = await prepared(
      "CREATE TYPE mood AS ENUM ('so so', 'fine')",
      'CREATE DOMAIN age AS int CHECK (VALUE >= 0)',
      'CREATE TYPE pair AS (a text, b numeric)',
      'CREATE TABLE odd ("Odd ""name" mood, n age, p pair, m mood[], "select" text)',
      `INSERT INTO odd VALUES ('so so', 7, ROW('x,"y', 1.50), '{fine,"so so"}', 'é'), (NULL, NULL, NULL, NULL, NULL)`,
    )
    const before = await under.texts('SELECT odd::text FROM odd')
    assert.equal(await roundTrip(under.store, 'odd', ['Odd "name', 'n', 'p', 'm', 'select']), 2)
    assert.deepEqual(await under.texts('SELECT odd::text FROM odd'), before)
  })

  test('an identity that is always generated keeps its numbers and goes on behind them', async () => {
    await using under = await prepared(
      'CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 5) PRIMARY KEY, t text)',
      "INSERT INTO events (t) VALUES ('a'), ('b')",
    )
    await roundTrip(under.store, 'events', ['id', 't'])
    await under.exec("INSERT INTO events (t) VALUES ('c')")
    assert.deepEqual(await under.texts('SELECT id FROM events ORDER BY id'), [['1'], ['6'], ['11']])
  })

  test('a partitioned table stands for its partitions, and one that others inherit from for itself', async () => {
    await using under = await prepared(
      'CREATE TABLE log (day date, t text) PARTITION BY RANGE (day)',
      "CREATE TABLE log_old PARTITION OF log FOR VALUES FROM (MINVALUE) TO ('2026-01-01')",
      "CREATE TABLE log_new PARTITION OF log FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)",
      "INSERT INTO log VALUES ('2025-01-01', 'old'), ('2026-02-02', 'new')",
      'CREATE TABLE base (n int)',
      'CREATE TABLE heir () INHERITS (base)',
      'INSERT INTO base VALUES (1)',
      'INSERT INTO heir VALUES (2)',
    )
    await using snapshot = await under.store.snapshot(signal)
    assert.deepEqual([...snapshot.catalog.tables.keys()], ['base', 'heir', 'log'])
    assert.deepEqual((await Array.fromAsync(snapshot.rows('log', ['t']))).flat(), [['"old"'], ['"new"']])
    assert.deepEqual((await Array.fromAsync(snapshot.rows('base', ['n']))).flat(), [['1']])
  })

  test('rows that a policy hides are an error, never a gap', async () => {
    await using under = await prepared(
      'CREATE TABLE guarded (n int)',
      'INSERT INTO guarded VALUES (1), (2)',
      'ALTER TABLE guarded ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE guarded FORCE ROW LEVEL SECURITY',
      'CREATE POLICY odd ON guarded USING (n % 2 = 1)',
    )
    assert.deepEqual(await under.texts('SELECT n FROM guarded'), [['1']])
    await using snapshot = await under.store.snapshot(signal)
    await assert.rejects(Array.fromAsync(snapshot.rows('guarded', ['n'])), hasCode('DATABASE_UNAVAILABLE'))
  })

  test('a table of another role is refused by name before anything is locked', async () => {
    const { address, admin } = await cluster.database()
    await using owner = await beside(admin)
    await owner.exec('CREATE TABLE foreign_one (n int)')
    await using change = await postgresStore({ address }).transaction(signal)
    await assert.rejects(change.begin(['foreign_one']), /does not own foreign_one/)
  })

  test('a table that somebody works on is waited for, and then named busy', async () => {
    const { address } = await cluster.database()
    await using other = await beside(address)
    await other.exec('CREATE TABLE held (n int)')
    await other.exec('BEGIN')
    await other.exec('INSERT INTO held VALUES (1)')
    await using change = await postgresStore({ address, lockTimeoutMs: 100 }).transaction(signal)
    await assert.rejects(change.begin(['held']), hasCode('DATABASE_BUSY'))
  })

  test('a server that ends in the middle is an error, not an end', async () => {
    const { address, admin } = await cluster.database()
    await using other = await beside(admin)
    await using owner = await beside(address)
    await owner.exec(
      "CREATE TABLE large AS SELECT n, repeat('x', 1000) AS t FROM generate_series(1, 50000) n",
    )
    await using snapshot = await postgresStore({ address }).snapshot(signal)
    const read = async () => {
      for await (const batch of snapshot.rows('large', ['n', 't'])) {
        assert.ok(batch.length > 0)
        await other.exec(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sealift' AND query LIKE 'COPY%'",
        )
      }
    }
    await assert.rejects(read(), hasCode('DATABASE_UNAVAILABLE'))
  })

  test('nobody at the address, and a role that is not known, are told', async () => {
    const { address } = await cluster.database()
    await assert.rejects(
      postgresStore({ address: { ...address, port: 1 } }).snapshot(signal),
      hasCode('DATABASE_UNAVAILABLE'),
    )
    await assert.rejects(
      postgresStore({ address: { ...address, user: 'nobody_here' } }).snapshot(signal),
      hasCode('DATABASE_UNAVAILABLE'),
    )
  })

  test('an abort in the middle of a copy ends it with its reason', async () => {
    const { address } = await cluster.database()
    await using owner = await beside(address)
    await owner.exec('CREATE TABLE t (n int)')
    const controller = new AbortController()
    const reason = new Error('stop')
    async function* endless() {
      for (let n = 0; ; n++) {
        if (n === 100) controller.abort(reason)
        yield [['1']]
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    {
      await using change = await postgresStore({ address }).transaction(controller.signal)
      await change.begin(['t'])
      await assert.rejects(change.insert('t', ['n'], endless()), reason)
    }
    assert.deepEqual(await owner.texts('SELECT count(*) FROM t'), [['0']])
  })
})
