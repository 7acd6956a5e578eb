import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MASTER_A, MASTER_B } from '../support/bilbycast-keys.ts'
import { BILBYCAST_SCHEMA, fillBilbycast } from '../support/bilbycast-schema.ts'
import { startPostgres, type PostgresDatabase } from '../support/postgres-cluster.ts'
import { beside, type Beside } from '../support/postgres-rows.ts'

const EVENTS = 50_000
const cluster = await startPostgres()
const folder = await mkdtemp(path.join(tmpdir(), 'sealift-faults-'))
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
const file = path.join(folder, 'export.bcbkv2')
const program = path.resolve(import.meta.dirname, '../support/bilbycast-transfer-child.ts')

async function application(masterKey?: typeof MASTER_A, events = 100): Promise<PostgresDatabase & Beside> {
  const database = await cluster.database()
  const owner = await beside(database.address)
  await owner.exec(BILBYCAST_SCHEMA)
  if (masterKey !== undefined) await fillBilbycast(owner, masterKey, { events })
  return { ...database, ...owner }
}

/** Runs the program; with `killAt` it is killed, with nothing it could do, when it has come that far. */
async function child(
  what: string,
  { address }: PostgresDatabase,
  killAt?: string,
): Promise<{ peak?: number }> {
  const running = spawn(
    process.execPath,
    [program, what, JSON.stringify(address), file, ...(killAt === undefined ? [] : ['hold'])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise<number | null>((resolve) => running.once('exit', resolve))
  let last: { at?: string; peak?: number } = {}
  for await (const line of createInterface({ input: running.stdout })) {
    last = JSON.parse(line) as typeof last
    if (last.at !== undefined && last.at === killAt) running.kill('SIGKILL')
  }
  assert.equal(await ended, killAt === undefined ? 0 : null)
  return last
}

const digest = async ({ texts }: Beside): Promise<unknown> => [
  await texts('SELECT n::text FROM nodes n ORDER BY 1'),
  await texts('SELECT u::text FROM users u ORDER BY 1'),
  await texts('SELECT count(*)::text, md5(string_agg(e::text, chr(10) ORDER BY id)) FROM events e'),
  await texts('SELECT s::text FROM sessions s ORDER BY 1'),
  await texts('SELECT sequencename, last_value::text FROM pg_sequences ORDER BY 1'),
  await texts(
    `SELECT conname, condeferrable::text FROM pg_constraint UNION ALL SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`,
  ),
]

/** The server notices a client that is gone in its own time. */
async function alone({ texts, name }: PostgresDatabase & Beside): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    const [row] = await texts(
      `SELECT count(*)::text FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
    )
    if (row?.[0] === '0') return
    assert.ok(Date.now() < deadline, 'a session of a killed process stays')
  }
}

describe('an application of 50,000 events', async () => {
  const from = await application(MASTER_A, EVENTS)
  const to = await application(MASTER_B)
  after(async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
  })

  it('is exported in less than 256 MiB', async () => {
    const { peak = Infinity } = await child('export', from)
    assert.ok((await stat(file)).size > 20 << 20)
    assert.ok(peak < 256, `${peak} MiB`)
  })

  it('leaves the destination as it was when the importer is killed anywhere, and no lock', async () => {
    const before = await digest(to)
    for (const moment of ['users', 'nodes', 'events', 'the end', 'the commit']) {
      await child('import', to, moment)
      await alone(to)
      assert.deepEqual(await digest(to), before, moment)
    }
  })

  it('is then imported, in less than 256 MiB', async () => {
    const { peak = Infinity } = await child('import', to)
    assert.ok(peak < 256, `${peak} MiB`)
    assert.deepEqual(await to.texts('SELECT count(*)::text FROM events'), [[String(EVENTS)]])
    await to.exec("INSERT INTO events (message) VALUES ('next')")
    assert.deepEqual(await to.texts("SELECT id::text FROM events WHERE message = 'next'"), [
      [String(EVENTS + 1)],
    ])
  })
})
