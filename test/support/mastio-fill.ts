import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { appendAudit } from './mastio-chain.ts'

/**
 * Grows `audit_log` with correctly chained rows until the file has about this many bytes: 300 MB in some seconds. The
 * rows have the size of a real tool call (about 700 bytes each).
 */
export function fillAudit(path: string, bytes: number): void {
  using db = new DatabaseSync(path)
  db.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 100000')
  const perRow = 700
  for (let size = statSync(path).size; size < bytes; size = statSync(path).size) {
    appendAudit(db, {
      count: Math.max(1, Math.min(40_000, Math.ceil((bytes - size) / perRow))),
      detailBytes: 380,
    })
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }
}

/** As a process of its own: adds rows without ever folding the WAL in, and dies by SIGKILL. */
if (import.meta.main) {
  const [, , path = '', count = '2500'] = process.argv
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0')
  appendAudit(db, { count: Number(count) })
  process.kill(process.pid, 'SIGKILL')
}

/**
 * What a power cut leaves: the database as it is, and beside it a WAL with `count` more rows that was never replayed.
 * Copying the file alone loses them; restoring over the file alone brings them back.
 */
export async function crashWithRows(path: string, count: number): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, path, String(count)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await new Promise((resolve) => child.once('exit', resolve))
  if (!existsSync(`${path}-wal`)) throw new Error('the crash left no WAL')
}

/** Copies a crash image as it lies: file, WAL and shared memory. */
export function copyCrashImage(from: string, to: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(`${from}${suffix}`)) copyFileSync(`${from}${suffix}`, `${to}${suffix}`)
  }
}
