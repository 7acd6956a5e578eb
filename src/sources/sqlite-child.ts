import { writeSync } from 'node:fs'
import { extname } from 'node:path'
import { DatabaseSync, backup } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FactValue } from '../manifest.ts'
import { reasonOf } from '../errors.ts'
import { examine, pragma, resultCode } from './sqlite-exam.ts'
import type { SqliteFailure, SqliteReport, SqliteRequest } from './sqlite-report.ts'

/** Every page in one step: at the default rate the copy starts again with each commit and never ends under writes. */
const everyPage = 2147483647
/** SQLITE_READONLY_ROLLBACK: a crashed writer left a hot journal, which only a writer may roll back. */
const hotJournal = 776

const failures: Readonly<Record<number, SqliteFailure>> = {
  3: 'cannot-open', // SQLITE_PERM
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  8: 'cannot-open', // SQLITE_READONLY: the folder of a WAL database is not writable
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL: only the copy is written to
  14: 'cannot-open', // SQLITE_CANTOPEN
  23: 'cannot-open', // SQLITE_AUTH
  26: 'not-sqlite', // SQLITE_NOTADB
}

/**
 * The child process that touches databases: `node sqlite-child.ts REQUEST`. It holds the one connection to the live
 * file, because closing any other descriptor of that file drops the POSIX locks of the whole process, and a writer
 * then deletes the log under it (measured). Expected failures are reported on standard output, with exit code 0.
 */
if (import.meta.main) {
  process.umask(0o077)
  const lifeline = new Worker(new URL(`./lifeline${extname(import.meta.filename)}`, import.meta.url))
  try {
    await work(JSON.parse(process.argv[2] ?? '') as SqliteRequest)
  } catch (error) {
    report({ state: 'failed', failure: failureOf(error), reason: reasonOf(error) })
  }
  await lifeline.terminate()
}

async function work(request: SqliteRequest): Promise<void> {
  if (request.work === 'examine') {
    report({ state: 'done', exam: examine(request.path), recovered: false })
    return
  }
  const { journalMode, recovered } = await copy(request.path, request.copy, request.busyMs)
  report({ state: 'copied' })
  const exam = examine(request.copy)
  report({
    state: 'done',
    exam: { ...exam, facts: { ...exam.facts, journal_mode: journalMode } },
    recovered,
  })
}

/** Copies under one read transaction, so that the copy itself never waits for a lock. */
async function copy(
  path: string,
  to: string,
  busyMs: number,
): Promise<{ journalMode: FactValue; recovered: boolean }> {
  const { db, recovered } = openLive(path, busyMs)
  try {
    const journalMode = pragma(db, 'journal_mode')
    report({ state: 'reading' })
    await backup(db, to, { rate: everyPage })
    db.exec('COMMIT')
    return { journalMode, recovered }
  } finally {
    db.close()
  }
}

function openLive(path: string, busyMs: number): { db: DatabaseSync; recovered: boolean } {
  try {
    return { db: beginRead(new DatabaseSync(path, { readOnly: true, timeout: busyMs })), recovered: false }
  } catch (error) {
    if (!(error instanceof Error && 'errcode' in error && error.errcode === hotJournal)) throw error
    // What the application itself does when it next opens the database: nothing that was committed is lost.
    const url = pathToFileURL(path)
    url.searchParams.set('mode', 'rw')
    return { db: beginRead(new DatabaseSync(url, { timeout: busyMs })), recovered: true }
  }
}

function beginRead(db: DatabaseSync): DatabaseSync {
  try {
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Written at once, so that no line is lost when the process ends. */
function report(line: SqliteReport): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at)
}

function failureOf(error: unknown): SqliteFailure {
  return failures[resultCode(error) ?? 0] ?? 'other'
}
