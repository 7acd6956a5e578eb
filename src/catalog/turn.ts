import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** How long one process waits for another, in milliseconds. */
const patience = 10_000

/**
 * Waits for the one who writes now, and keeps the others waiting until it is disposed. For what is done at once and
 * synchronously: a second turn in the same process would wait for the first in vain. The kernel releases it with its
 * process. The folder must exist; `path` is an empty file that nothing but SQLite may open.
 */
export function takeTurn(path: string): Disposable {
  const database = new DatabaseSync(path, { timeout: patience })
  try {
    chmodSync(path, 0o600)
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw error
  }
  return { [Symbol.dispose]: () => database.close() }
}
