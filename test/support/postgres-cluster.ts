import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresAddress } from '../../src/rows/postgres-driver.ts'
import { newClient } from '../../src/rows/postgres-driver.ts'

const programs = '/usr/lib/postgresql'
/** Start and stop of a server on a slow machine. */
const patienceMs = 120_000

/** A server of its own in a folder of its own, reached by a socket there. Nothing else on the machine sees it. */
export interface PostgresCluster extends AsyncDisposable {
  readonly bin: string
  readonly pid: number
  /** A new database that the plain role `app` owns. */
  database(): Promise<PostgresDatabase>
}

export interface PostgresDatabase {
  readonly name: string
  /** As the role `app`, which is no superuser. */
  readonly address: PostgresAddress
  /** As the superuser. */
  readonly admin: PostgresAddress
}

/** PostgreSQL refuses to run as root: then its user, or the one that owns nothing. */
function serverUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // The next one.
    }
  }
  return {}
}

export async function startPostgres(settings: readonly string[] = []): Promise<PostgresCluster> {
  const version = readdirSync(programs).sort((one, other) => Number(other) - Number(one))[0] ?? ''
  const bin = path.join(programs, version, 'bin')
  const user = serverUser()
  const folder = mkdtempSync(path.join(tmpdir(), 'sealift-pg-'))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid)
  const data = path.join(folder, 'data')
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' }
  const options = { ...user, env, cwd: folder, stdio: 'pipe' } as const
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    options,
  )
  const off = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'max_connections=40',
    ...settings,
  ]
  const server = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', ...off.flatMap((setting) => ['-c', setting])],
    { ...user, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let words = ''
  server.stderr.on('data', (piece: Buffer) => (words = (words + piece.toString()).slice(-4000)))
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  // A test process that ends in another way than by its hooks leaves no server behind.
  const kill = (): void => void server.kill('SIGQUIT')
  process.once('exit', kill)
  const admin = { host: folder, port: 5432, user: 'postgres', database: 'postgres' }
  const execute = async (address: PostgresAddress, sql: string): Promise<void> => {
    const client = newClient(address)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  const deadline = Date.now() + patienceMs
  for (;;) {
    try {
      await execute(admin, 'CREATE ROLE app LOGIN')
      break
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline)
        assert.fail(`the server did not start: ${words}\n${String(error)}`)
      await sleep(50)
    }
  }
  let count = 0
  return {
    bin,
    pid: server.pid ?? 0,
    async database() {
      const name = `db${++count}`
      await execute(admin, `CREATE DATABASE ${name} OWNER app`)
      return { name, address: { ...admin, user: 'app', database: name }, admin: { ...admin, database: name } }
    },
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', kill)
      server.kill('SIGINT')
      const timer = setTimeout(() => server.kill('SIGKILL'), patienceMs)
      await ended
      clearTimeout(timer)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
