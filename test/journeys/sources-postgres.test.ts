import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, describe, it } from 'node:test'
import type { ManifestSource } from '../../src/manifest.ts'
import { postgres, type PostgresOptions } from '../../src/sources/postgres.ts'
import { readDumpHeader } from '../../src/sources/postgres-dump-header.ts'
import { findTool } from '../../src/sources/postgres-tools.ts'
import type { Snapshot } from '../../src/sources/source.ts'
import { scratchRun, sourceSuite } from '../suites/source.ts'
import { startPostgres, type PostgresDatabase } from '../support/postgres-cluster.ts'
import { beside, type Beside } from '../support/postgres-rows.ts'
import { hasCode } from '../support/stored.ts'

const cluster = await startPostgres()
const folder = await mkdtemp(path.join(tmpdir(), 'sealift-pg-source-'))
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
const signal = new AbortController().signal

const SCHEMA = `
CREATE TABLE people (id int PRIMARY KEY, name text);
INSERT INTO people SELECT n, E'name\\t' || n || E'\\n\\\\. COPY public.people FROM stdin;' FROM generate_series(1, 300) n;
CREATE TABLE empty (n int);
CREATE SCHEMA "Odd ""one""";
CREATE TABLE "Odd ""one"""."a.b" (n int);
INSERT INTO "Odd ""one"""."a.b" VALUES (1), (2);
CREATE TABLE log (day date, t text) PARTITION BY RANGE (day);
CREATE TABLE log_old PARTITION OF log FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
INSERT INTO log VALUES ('2025-01-01', repeat('x', 10000));
`
const ROWS = { 'public.people': 300, 'public.empty': 0, 'Odd "one".a.b': 2, 'public.log_old': 1 }

async function filled(): Promise<PostgresDatabase & Beside & { readonly options: PostgresOptions }> {
  const database = await cluster.database()
  const owner = await beside(database.address)
  await owner.exec(SCHEMA)
  const { host = '', port, user = '' } = database.address
  const options = {
    database: database.name,
    host,
    port,
    user,
    path: path.join(folder, `${database.name}.pgdump`),
  }
  return { ...database, ...owner, options }
}

/** Writes the one member of a snapshot to a file. */
async function dumpTo(snapshot: Snapshot, file: string): Promise<void> {
  for await (const member of snapshot.members()) {
    assert.ok(member.content)
    await pipeline(member.content(), createWriteStream(file))
  }
}

function recordedOf(snapshot: Snapshot): ManifestSource {
  const { facts, versions, rows } = snapshot.describe()
  const common = {
    name: 'db',
    kind: 'postgres',
    snapshot_at: snapshot.takenAt.toISOString(),
    members: 1,
    bytes: 1,
  }
  return { ...common, facts, versions, ...(rows === undefined ? {} : { rows }) }
}

sourceSuite('postgres', async () => {
  const database = await filled()
  return {
    source: postgres.open('db', database.options),
    // A server always is somewhere; that nobody answers is told in another way.
    missing: undefined,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
})

describe('a dump', () => {
  it('restores to the same rows, and its counts are those of the snapshot whatever is written meanwhile', async () => {
    await using database = await filled()
    await using run = await scratchRun()
    await using snapshot = await postgres.open('db', database.options).snapshot(run.context)
    await database.exec(
      "INSERT INTO people VALUES (1000, 'late'); DELETE FROM log; CREATE TABLE later (n int)",
    )
    await dumpTo(snapshot, database.options.path)
    const { rows, versions, facts } = snapshot.describe()
    assert.deepEqual(rows, ROWS)
    assert.equal(versions['server']?.split('.')[0], versions['pg_dump']?.split('.')[0])
    assert.deepEqual([facts['encoding'], facts['large_objects']], ['UTF8', 0])
    const found = await postgres.checkRestored(database.options.path, recordedOf(snapshot), signal)
    assert.deepEqual(
      found.map(({ check, verdict }) => [check, verdict]),
      [
        ['dump', 'ok'],
        ['rows', 'ok'],
      ],
    )
    const other = await cluster.database()
    const env = {
      PATH: '/usr/bin:/bin',
      PGHOST: other.address.host ?? '',
      PGUSER: 'app',
      PGDATABASE: other.name,
    }
    const tool = path.join(cluster.bin, 'pg_restore')
    execFileSync(tool, ['--no-owner', '--exit-on-error', `--dbname=${other.name}`, database.options.path], {
      env,
    })
    await using restored = await beside(other.address)
    assert.deepEqual(await restored.texts('SELECT count(*), max(id) FROM people'), [['300', '300']])
    assert.deepEqual(await readdir(run.context.scratch), [])
  })

  it('says who wrote it and from where', async () => {
    await using database = await filled()
    await using run = await scratchRun()
    await using snapshot = await postgres.open('db', database.options).snapshot(run.context)
    await dumpTo(snapshot, database.options.path)
    const bytes = await readFile(database.options.path)
    const header = readDumpHeader(bytes.subarray(0, 4096))
    assert.equal(header?.database, database.name)
    assert.equal(header.dumpMajor, Number.parseInt(snapshot.describe().versions['pg_dump'] ?? '', 10))
    assert.equal(readDumpHeader(bytes.subarray(0, 20)), undefined)
    assert.equal(readDumpHeader(Buffer.from('PGDUMP')), undefined)
  })

  it('that was cut or changed, and another one, fail the check', async () => {
    await using database = await filled()
    await using run = await scratchRun()
    const file = database.options.path
    await using snapshot = await postgres.open('db', database.options).snapshot(run.context)
    await dumpTo(snapshot, file)
    const recorded = recordedOf(snapshot)
    const verdicts = async (which: ManifestSource) =>
      (await postgres.checkRestored(file, which, signal)).map(({ check, verdict, detail }) => [
        check,
        verdict,
        detail,
      ])
    const more = { ...recorded, rows: { ...recorded.rows, 'public.people': 301, 'public.gone': 1 } }
    assert.deepEqual((await verdicts(more))[1], [
      'rows',
      'fail',
      'public.gone: no rows, 1 were counted; public.people: 300 rows, 301 were counted',
    ])
    await truncate(file, (await readFile(file)).length - 5000)
    assert.ok((await verdicts(recorded)).some(([, verdict]) => verdict === 'fail'))
    await writeFile(file, 'no dump at all')
    assert.deepEqual(
      (await verdicts(recorded)).map(([check, verdict]) => [check, verdict]),
      [['dump', 'fail']],
    )
  })

  it('whose server ends the session is an error, not an end', async () => {
    await using database = await filled()
    await using killer = await beside(database.admin)
    await database.exec("INSERT INTO people SELECT n, repeat('x', 1000) FROM generate_series(1001, 100000) n")
    await using run = await scratchRun()
    await using snapshot = await postgres.open('db', database.options).snapshot(run.context)
    const read = async () => {
      for await (const member of snapshot.members())
        for await (const piece of member.content?.() ?? []) {
          assert.ok(piece.length > 0)
          await killer.exec(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE 'COPY%'`,
          )
        }
    }
    await assert.rejects(read(), hasCode('PROCESS_FAILED'))
  })

  it('without a row that a policy hides is refused', async () => {
    await using database = await filled()
    await database.exec(
      'ALTER TABLE people ENABLE ROW LEVEL SECURITY; ALTER TABLE people FORCE ROW LEVEL SECURITY; CREATE POLICY odd ON people USING (id % 2 = 1)',
    )
    await using run = await scratchRun()
    await assert.rejects(postgres.open('db', database.options).snapshot(run.context), /row-level security/)
  })

  it('is compared with what is live', async () => {
    await using database = await filled()
    await using run = await scratchRun()
    const source = postgres.open('db', database.options)
    await using snapshot = await source.snapshot(run.context)
    const recorded = recordedOf(snapshot)
    const sample = [
      { path: 'db/dump', type: 'file', size: 1, mode: 0, mtimeMs: 0, uid: 0, gid: 0, offset: 0 },
    ] as const
    const states = async () =>
      (await source.spotCheck(sample, recorded, run.context)).map(({ state }) => state)
    assert.deepEqual(await states(), ['same'])
    await database.exec('DELETE FROM people WHERE id < 5')
    assert.deepEqual(await states(), ['changed'])
    const gone = postgres.open('db', { ...database.options, port: 1 })
    const [answer] = await gone.spotCheck(sample, recorded, run.context)
    assert.equal(answer?.state, 'missing')
  })
})

describe('the password of a role', () => {
  it('comes from a file, and stands in no argument of a process', async () => {
    await using database = await filled()
    await using admin = await beside(database.admin)
    await admin.exec("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'hunter2'")
    const file = path.join(folder, 'password')
    await writeFile(file, 'hunter2\n', { mode: 0o600 })
    await using run = await scratchRun()
    const source = postgres.open('db', { ...database.options, user: 'guarded', password_file: file })
    await using snapshot = await source.snapshot(run.context)
    let looked = 0
    for await (const member of snapshot.members())
      for await (const _ of member.content?.() ?? []) {
        for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
          const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
          assert.ok(!line.includes('hunter2'), line)
          looked++
        }
      }
    assert.ok(looked > 0)
    await rm(file)
    await assert.rejects(source.snapshot(run.context), hasCode('SOURCE_UNREADABLE'))
  })
})

describe('the program that dumps', () => {
  const fake = async (release: string, says: string): Promise<string> => {
    const bin = await mkdtemp(path.join(folder, `bin-${release}-`))
    await writeFile(path.join(bin, 'pg_dump'), `#!/bin/sh\n${says}\n`)
    await chmod(path.join(bin, 'pg_dump'), 0o755)
    return bin
  }

  it('is the newest that is installed and not older than the server', async () => {
    const old = await fake('old', 'echo "pg_dump (PostgreSQL) 13.4"')
    const newer = await fake('newer', 'echo "pg_dump (PostgreSQL) 18.1 (Debian 18.1-1)"')
    const broken = await fake('broken', 'exit 1')
    const tool = await findTool('pg_dump', 15, signal, [old, broken, newer, path.join(folder, 'nowhere')])
    assert.deepEqual(tool, { path: path.join(newer, 'pg_dump'), version: '18.1', major: 18 })
    await assert.rejects(findTool('pg_dump', 15, signal, [old, broken]), {
      code: 'TOOL_TOO_OLD',
      data: { tool: 'pg_dump', found: '13.4', needed: 15 },
    })
    await assert.rejects(findTool('pg_dump', 15, signal, [broken]), hasCode('PROCESS_NOT_FOUND'))
  })

  it('is really here', async () => {
    const { major } = await findTool('pg_restore', 13, signal)
    assert.ok(major >= 13)
  })
})
