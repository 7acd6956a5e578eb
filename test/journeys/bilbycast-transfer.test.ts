import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, describe, it } from 'node:test'
import type { PostgresAddress } from '../../src/rows/postgres-driver.ts'
import { openExport } from '../../src/profiles/bilbycast/export-file.ts'
import { writeRowExport } from '../../src/profiles/bilbycast/export-rows.ts'
import {
  refusePopulated,
  registrationTokens,
  requireAdministrator,
  takeLock,
} from '../../src/profiles/bilbycast/import-rules.ts'
import { bilbycastKeyring } from '../../src/profiles/bilbycast/keyring.ts'
import { exportRowArchive } from '../../src/profiles/bilbycast/payload-rows.ts'
import { summarise } from '../../src/profiles/bilbycast/payload-summary.ts'
import { bilbycastModel } from '../../src/profiles/bilbycast/tables.ts'
import { postgresStore } from '../../src/rows/postgres.ts'
import type { RowArchive } from '../../src/rows/row-archive.ts'
import { exportRows } from '../../src/rows/transfer-export.ts'
import { importRows, type ImportOptions, type ImportReport } from '../../src/rows/transfer-import.ts'
import type { Secret } from '../../src/secret.ts'
import { gather, HEADER, inMemory, NONCE, PASSPHRASE, quick } from '../support/bilbycast-files.ts'
import { MASTER_A, MASTER_B } from '../support/bilbycast-keys.ts'
import { BILBYCAST_SCHEMA, fillBilbycast } from '../support/bilbycast-schema.ts'
import { startPostgres, type PostgresDatabase } from '../support/postgres-cluster.ts'
import { beside, type Beside } from '../support/postgres-rows.ts'
import { hasCode } from '../support/stored.ts'

const cluster = await startPostgres()
after(() => cluster[Symbol.asyncDispose]())
const signal = new AbortController().signal
const model = bilbycastModel()
const [ringA, ringB] = [bilbycastKeyring(MASTER_A, randomBytes), bilbycastKeyring(MASTER_B, randomBytes)]
const rules = { mode: 'replace', release: 'same', model, keyring: ringB } as const

async function application(masterKey?: Secret): Promise<PostgresDatabase & Beside> {
  const database = await cluster.database()
  const owner = await beside(database.address)
  await owner.exec(BILBYCAST_SCHEMA)
  if (masterKey !== undefined) await fillBilbycast(owner, masterKey)
  return { ...database, ...owner }
}

async function exported(address: PostgresAddress, keyring = ringA): Promise<RowArchive> {
  await using snapshot = await postgresStore({ address }).snapshot(signal)
  const rows = await exportRows({ snapshot, model, keyring })
  const seal = { header: HEADER, nonce: NONCE, passphrase: PASSPHRASE, stretch: quick }
  const file = await gather(writeRowExport(rows, seal))
  const opened = await openExport(inMemory(file), { passphrase: PASSPHRASE, stretch: quick })
  return exportRowArchive(opened, await summarise(opened))
}

async function imported(
  address: PostgresAddress,
  archive: RowArchive,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  await using transaction = await postgresStore({ address }).transaction(signal)
  return await importRows({ ...rules, transaction, archive, ...options })
}

const SECRETS = model.secrets.map(({ table, column }) => `${table}.${column}`)

/** Everything of a database as text: rows, definitions, counters. */
async function state({ texts }: Beside, tables = [...model.persisted, ...model.ephemeral, ...model.kept]) {
  const all: Record<string, (string | null)[][]> = {}
  const live = new Set((await texts("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).flat())
  for (const table of tables)
    if (live.has(table))
      all[table] = await texts(`SELECT to_jsonb(t)::text, t::text FROM ${table} t ORDER BY 2`)
  all['definitions'] = await texts(`
    SELECT conname, conrelid::regclass::text, condeferrable::text, condeferred::text, pg_get_constraintdef(oid) FROM pg_constraint
    UNION ALL SELECT tgname, tgrelid::regclass::text, tgenabled::text, '', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2`)
  all['counters'] = await texts('SELECT sequencename, last_value::text FROM pg_sequences ORDER BY 1')
  return all
}

/** The rows of the tables that move, secrets opened, registration tokens left out. */
async function contents(application: Beside, keyring = ringA) {
  const all: Record<string, unknown> = {}
  for (const table of model.persisted) {
    const columns = await application.texts(
      `SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = to_regclass('public.${table}') AND attnum > 0 ORDER BY 1`,
    )
    if (columns.length === 0) continue
    const list = columns.map(([name]) => `${name}::text`).join(', ')
    const rows = (await application.texts(`SELECT ${list} FROM ${table}`)).map((row) =>
      row.map((value, at) => {
        const name = `${table}.${columns[at]?.[0]}`
        if (name === 'nodes.registration_token') return ''
        const domain = model.secrets.find((secret) => `${secret.table}.${secret.column}` === name)?.domain
        if (domain === undefined || value === null) return value
        const opened = keyring.open(domain, value)
        return 'secret' in opened ? `opened: ${opened.secret.reveal()}` : opened
      }),
    )
    all[table] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return all
}

describe('an application moved to another master key', async () => {
  const from = await application(MASTER_A)
  const to = await application()
  after(async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
  })
  const archive = await exported(from.address)

  it('has every row as it was, by a role that is no superuser, and every secret under its own key', async () => {
    const definitions = (await state(to, []))['definitions']
    const tokens = registrationTokens(archive.summary.keyCheck, ringB.check)
    const report = await imported(to.address, archive, { change: tokens.change })
    assert.deepEqual(await contents(to, ringB), await contents(from, ringA))
    assert.equal(report.conflicts.length + report.missingSecrets.length, 0)
    assert.equal(report.tables['events']?.imported, 500)
    assert.deepEqual((await state(to, []))['definitions'], definitions)
    assert.deepEqual(tokens.dead.sort(), ['node-0', 'node-12', 'node-16', 'node-4', 'node-8'])
    assert.deepEqual(await to.texts('SELECT count(*) FROM nodes WHERE registration_token IS NOT NULL'), [
      ['0'],
    ])
    for (const name of SECRETS) {
      const [table = '', column = ''] = name.split('.')
      if ((await contents(to))[table] === undefined) continue
      const foreign = await to.texts(`SELECT 1 FROM ${table} WHERE ${column} NOT LIKE 'v1:%'`)
      assert.deepEqual(foreign, [], `${name} has values that are not v1`)
    }
    assert.deepEqual(await to.texts('SELECT created_at::text FROM audit_log'), [
      ['2020-02-02 02:02:02.000002+00'],
    ])
  })

  it('goes on: the next audit row and event have numbers of their own, the trigger works, the other stays off', async () => {
    await to.exec("INSERT INTO audit_log (action, created_at) VALUES ('next', '2001-01-01')")
    await to.exec("INSERT INTO events (message, created_at) VALUES ('next', '2001-01-01')")
    assert.deepEqual(
      await to.texts("SELECT id::text FROM events WHERE message = 'next' AND created_at > '2020-01-01'"),
      [['501']],
    )
    assert.deepEqual(await to.texts("SELECT id::text FROM audit_log WHERE created_at = '2001-01-01'"), [
      ['2'],
    ])
  })

  it('has no runtime state of the old one, and keeps what belongs to its own database', async () => {
    for (const table of model.ephemeral)
      if (Object.hasOwn(await state(to), table))
        assert.deepEqual(await to.texts(`SELECT 1 FROM ${table}`), [], table)
    assert.deepEqual(await to.texts('SELECT version::text FROM _sqlx_migrations'), [['12']])
  })

  it('can be moved back, and is then what it was', async () => {
    const back = await exported(to.address, ringB)
    await using third = await application()
    await imported(third.address, back, { keyring: ringA })
    assert.deepEqual(await contents(third, ringA), await contents(to, ringB))
  })
})

describe('an import that is refused or fails leaves the destination as it was', async () => {
  const from = await application(MASTER_A)
  const to = await application(MASTER_B)
  after(async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
  })
  const archive = await exported(from.address)
  const before = await state(to)
  const unchanged = async () => assert.deepEqual(await state(to), before)

  it('where an error comes at any of its tables', async () => {
    for (const broken of archive.summary.tables.keys()) {
      const failing: RowArchive = {
        ...archive,
        async *tables() {
          for await (const table of archive.tables()) {
            if (table.name === broken) throw new Error(`at ${broken}`)
            yield table
          }
        },
      }
      await assert.rejects(imported(to.address, failing), { message: `at ${broken}` })
    }
    await unchanged()
  })

  it('where the server ends the session behind any of its tables', async () => {
    await using killer = await beside(to.admin)
    for (const last of ['users', 'nodes', 'events']) {
      const failing: RowArchive = {
        ...archive,
        async *tables() {
          for await (const table of archive.tables()) {
            yield table
            if (table.name === last)
              await killer.exec(
                `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${to.name}' AND application_name = 'sealift' AND state LIKE 'idle in%'`,
              )
          }
        },
      }
      await assert.rejects(imported(to.address, failing), hasCode('DATABASE_UNAVAILABLE'))
    }
    await unchanged()
  })

  it('where it holds users or nodes, in the decisive check under the locks', async () => {
    await assert.rejects(imported(to.address, archive, { before: refusePopulated }), /3 users and 20 nodes/)
    await unchanged()
    await using empty = await application()
    await empty.exec(
      "INSERT INTO users (id, username, password_hash, role) VALUES ('boot', 'boot', 'x', 'super_admin')",
    )
    const dry = await imported(empty.address, archive, { before: refusePopulated, dryRun: true })
    assert.equal(dry.tables['users']?.removed, 1)
    await empty.exec(
      "INSERT INTO users (id, username, password_hash, role) VALUES ('late', 'late', 'x', 'user')",
    )
    await assert.rejects(
      imported(empty.address, archive, { before: refusePopulated }),
      hasCode('GUARD_REFUSED'),
    )
    await empty.exec("DELETE FROM users WHERE id = 'late'; INSERT INTO nodes (id) VALUES ('one')")
    await assert.rejects(imported(empty.address, archive, { before: refusePopulated }), /1 users and 1 nodes/)
  })

  it('where the archive has no administrator', async () => {
    await from.exec("UPDATE users SET is_active = false WHERE role = 'super_admin'")
    const other = await exported(from.address)
    await from.exec('UPDATE users SET is_active = true')
    await assert.rejects(
      imported(to.address, other, { after: requireAdministrator }),
      hasCode('GUARD_REFUSED'),
    )
    await unchanged()
  })

  it('where lock 42 is held, naming who holds it; another database is not in the way', async () => {
    await using holder = await beside({ ...to.address })
    await holder.exec("SET application_name = 'the other backup'; SELECT pg_advisory_lock(42)")
    await assert.rejects(imported(to.address, archive, { before: takeLock }), (error: Error) => {
      assert.ok(hasCode('LOCKED')(error))
      assert.match(
        error.message,
        /lock 42 is held by process \d+ of the server, the other backup, since \d{4}-/,
      )
      return true
    })
    await imported(from.address, archive, { before: takeLock, dryRun: true })
    await holder.exec('SELECT pg_advisory_unlock(42)')
    await imported(to.address, archive, { before: takeLock, dryRun: true })
    await unchanged()
  })

  it('where a table or a secret column has no class, in both directions', async () => {
    await to.exec('CREATE TABLE extra (id int); ALTER TABLE nodes ADD COLUMN surprise_enc text')
    const refusal = {
      code: 'ROWS_UNCLASSIFIED',
      data: { unclassified: ['table extra', 'column nodes.surprise_enc'] },
    }
    await assert.rejects(imported(to.address, archive), refusal)
    await assert.rejects(exported(to.address, ringB), refusal)
    await to.exec('DROP TABLE extra; ALTER TABLE nodes DROP COLUMN surprise_enc')
    await unchanged()
  })
})

describe('an export', () => {
  it('names one broken secret and goes on, and is refused where no secret opens', async () => {
    await using from = await application(MASTER_A)
    await from.exec("UPDATE nodes SET auth_client_secret_enc = 'v1:AAAA' WHERE id = 'node-3'")
    const { summary } = await exported(from.address)
    assert.deepEqual(summary.skippedSecrets, [
      { table: 'nodes', column: 'auth_client_secret_enc', row: 'node-3', reason: 'too-short' },
    ])
    await assert.rejects(exported(from.address, ringB), hasCode('ROWS_KEYRING_WRONG'))
  })

  it('sees one moment while the application writes', async () => {
    await using from = await application(MASTER_A)
    await using snapshot = await postgresStore({ address: from.address }).snapshot(signal)
    const rows = await exportRows({ snapshot, model, keyring: ringA })
    for await (const table of rows.tables()) {
      if (table.name === 'users')
        await from.exec("INSERT INTO events (message) VALUES ('late'); DELETE FROM nodes WHERE id = 'node-7'")
      for await (const _ of table.rows);
    }
    assert.deepEqual([rows.report().rows['events'], rows.report().rows['nodes']], [500, 20])
  })
})

describe('a merge', () => {
  it('of an application into another keeps what is there and adds the rest, counted', async () => {
    await using from = await application(MASTER_A)
    await using to = await application()
    await to.exec(`
      INSERT INTO users (id, username, password_hash, role) VALUES ('user-0', 'boss', 'x', 'super_admin'), ('other', 'otto', 'x', 'user');
      INSERT INTO nodes (id, name) VALUES ('node-3', 'mine')`)
    const archive = await exported(from.address)
    const report = await imported(to.address, archive, { mode: 'merge' })
    for (const [table, { archive: rows, imported, skipped, conflicts }] of Object.entries(report.tables))
      assert.equal(imported + skipped + conflicts, rows, table)
    assert.deepEqual(report.tables['users'], {
      archive: 3,
      imported: 1,
      skipped: 1,
      conflicts: 1,
      removed: 0,
    })
    assert.deepEqual(report.conflicts, [
      { table: 'users', row: 'user-2', reason: 'unique', existing: 'other' },
    ])
    assert.deepEqual(await to.texts("SELECT name FROM nodes WHERE id = 'node-3'"), [['mine']])
    assert.deepEqual(await to.texts('SELECT count(*) FROM events'), [['500']])
    const again = await imported(to.address, archive, { mode: 'merge' })
    assert.ok(Object.values(again.tables).every(({ imported }) => imported === 0))
  })
})
