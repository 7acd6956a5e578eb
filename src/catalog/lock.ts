import { chmodSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

import { SealiftError, reasonOf, systemCode } from '../errors.ts'

/** Who holds a lock: what the second run is told. `since` is RFC 3339 in UTC. */
export interface LockHolder {
  readonly pid: number
  readonly verb: string
  readonly since: string
  readonly host: string
}

/** The right to work on one application, until it is disposed or its process ends, however it ends. */
export type Lock = AsyncDisposable

/** How often, and how many milliseconds apart, to look again while the named holder is one that has just ended. */
const looks = 5
const pause = 20

/**
 * Takes the lock of an application, or throws LOCKED at once with the holder in its text. The folder must exist and be
 * private. IO_FAILED if it cannot be written.
 *
 * The lock is the kernel's: an open exclusive transaction of SQLite on `<app>.lock`, an empty file. So none is ever
 * stale and none is taken over. Closing any descriptor of that file drops this process's locks on it (fcntl(2)), so
 * nothing but SQLite may open it. Who holds it stands in `<app>.holder.json`, for people only.
 */
export async function acquireLock(options: {
  readonly folder: string
  readonly app: string
  readonly holder: LockHolder
}): Promise<Lock> {
  const { folder, app, holder } = options
  if (!/^[a-z0-9][a-z0-9-]*$/.test(app)) {
    throw new SealiftError('USAGE', { reason: `${JSON.stringify(app)} is no application name` })
  }
  const file = join(folder, `${app}.lock`)
  const note = join(folder, `${app}.holder.json`)
  for (let look = 1; ; look++) {
    const database = tryLock(file)
    if (database !== undefined) return await hold(database, note, holder)
    const noted = await readHolder(note)
    const other = noted === undefined || hasEnded(noted, holder.host) ? undefined : noted
    if (other !== undefined || look === looks) {
      throw new SealiftError('LOCKED', { app, holder: describe(other) })
    }
    // The note is of a killed holder, or not yet written: the one who has the lock now is just writing its own.
    await sleep(pause)
  }
}

/** The connection that holds the lock, or undefined if another one does. */
function tryLock(file: string): DatabaseSync | undefined {
  try {
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      chmodSync(file, 0o600)
      // Nothing is ever written, so the journal file that a first transaction begins with is not needed.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (isBusy(error)) return undefined
    throw new SealiftError('IO_FAILED', { path: file, operation: 'lock', reason: reasonOf(error) }, error)
  }
}

async function hold(database: DatabaseSync, note: string, holder: LockHolder): Promise<Lock> {
  let held = true
  const release = async () => {
    if (!held) return
    held = false
    // A note that stays is of a holder that has ended, and the next one writes over it.
    await rm(note, { force: true }).catch(() => undefined)
    database.close()
  }
  try {
    // One name for all: only who has the lock writes it, and what a killed one left is written over.
    const draft = `${note}.part`
    await writeFile(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
    await rename(draft, note)
    return { [Symbol.asyncDispose]: release }
  } catch (error) {
    await release()
    throw new SealiftError('IO_FAILED', { path: note, operation: 'write', reason: reasonOf(error) }, error)
  }
}

async function readHolder(note: string): Promise<LockHolder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(note, 'utf8'))
    return isHolder(value) ? value : undefined
  } catch {
    // The note only serves the message; the lock itself has already been refused.
    return undefined
  }
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false
  const { pid, verb, since, host } = value as Partial<Record<string, unknown>>
  return (
    typeof pid === 'number' && [verb, since, host].every((part) => typeof part === 'string' && part !== '')
  )
}

/** Whether the process is known to be gone. One of another host or of another user is not. */
function hasEnded(holder: LockHolder, host: string): boolean {
  if (holder.host !== host) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}

function describe(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'a process that has not given its name'
  return `${holder.verb}, process ${holder.pid} on ${holder.host}, since ${holder.since}`
}

/** SQLITE_BUSY: another connection has the lock (https://sqlite.org/rescode.html#busy). */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  return typeof error.errcode === 'number' && (error.errcode & 0xff) === 5
}
