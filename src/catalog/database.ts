import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { systemCode } from '../errors.ts'
import { migrations } from './migrations.ts'

/** Why a catalogue file cannot be used as it is. */
export type Unusable = 'corrupt' | 'newer'

/** How long one process waits for another's write, in milliseconds. */
const patience = 10_000

/**
 * Opens the catalogue's database file (made 0600 if missing, its folder 0700) and brings its schema up to date.
 * Returns why not, for a file that is damaged, is no catalogue, or has a newer schema.
 *
 * It keeps SQLite's rollback journal: writes are few and small, and it works on every file system.
 */
export function openDatabase(path: string): DatabaseSync | Unusable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  makePrivate(path)
  const database = new DatabaseSync(path, { timeout: patience })
  try {
    const unusable = migrate(database)
    if (unusable === undefined) return database
    database.close()
    return unusable
  } catch (error) {
    database.close()
    if (isDamage(error)) return 'corrupt'
    throw error
  }
}

/** A catalogue that is gone when the process ends. */
export function openInMemory(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const step of migrations) database.exec(step)
  return database
}

/**
 * Moves an unusable catalogue out of the way, with its sidecars, and returns its new path. Several processes may find
 * it at once: the first one moves it, the others find a good one (or none) when their turn comes, and get undefined.
 */
export function setAside(path: string, why: Unusable, at: Date): string | undefined {
  using turn = new DatabaseSync(`${path}.lock`, { timeout: patience })
  chmodSync(`${path}.lock`, 0o600)
  turn.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  if (isSound(path)) return undefined
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const aside = unused(`${path}.${why}-${time}`)
  // The journal first: a new database beside an old journal would be spoilt by it.
  for (const sidecar of ['-journal', '-wal', '-shm', '']) {
    if (existsSync(path + sidecar)) renameSync(path + sidecar, aside + sidecar)
  }
  return aside
}

/**
 * Whether SQLite's error says that the file is no catalogue of ours: SQLITE_CORRUPT, SQLITE_NOTADB, and SQLITE_ERROR,
 * which with statements that never change means that a table is not as the migrations made it.
 */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || systemCode(error) !== 'ERR_SQLITE_ERROR') return false
  // The low byte is the primary result code (https://sqlite.org/rescode.html).
  return 'errcode' in error && typeof error.errcode === 'number' && [1, 11, 26].includes(error.errcode & 0xff)
}

/** Whether the file can be used now, read to its last page. */
function isSound(path: string): boolean {
  const database = openDatabase(path)
  if (typeof database === 'string') return false
  using open = database
  try {
    return open.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok'
  } catch (error) {
    if (isDamage(error)) return false
    throw error
  }
}

function migrate(database: DatabaseSync): Unusable | undefined {
  if (versionOf(database) < migrations.length) {
    database.exec('BEGIN IMMEDIATE')
    // Another process may have been first, so the version is asked for again.
    for (const step of migrations.slice(versionOf(database))) database.exec(step)
    if (versionOf(database) < migrations.length) database.exec(`PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  }
  if (versionOf(database) > migrations.length) return 'newer'
  return columnsOf(database) === columnsOfOurs() ? undefined : 'corrupt'
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

function columnsOfOurs(): string {
  using ours = openInMemory()
  return columnsOf(ours)
}

/** Every column of every table, as one text to compare. */
function columnsOf(database: DatabaseSync): string {
  const columns = database.prepare(
    'SELECT t.name AS t, c.name AS c, c.type AS k FROM sqlite_schema t, pragma_table_info(t.name) c ORDER BY 1, 2',
  )
  return JSON.stringify(columns.all())
}

/** Makes a missing file, 0600. An existing one is not opened: closing it would drop this process's SQLite locks on it. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function unused(path: string): string {
  for (let copy = 1; ; copy++) {
    const name = copy === 1 ? path : `${path}-${copy}`
    if (!existsSync(name)) return name
  }
}
