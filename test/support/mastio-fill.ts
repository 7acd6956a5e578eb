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

/**
 * The same in a second or two, by one INSERT: rows of `audit_log` outside of the chain, which the application has too.
 * They compress by half, as real rows do not, and no hash is made for them.
 */
export function fillFast(path: string, bytes: number): void {
  using db = new DatabaseSync(path)
  db.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 100000; PRAGMA cache_spill = OFF')
  const rows = Math.ceil((bytes - statSync(path).size) / 4040)
  db.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO audit_log (timestamp, agent_id, action, status, detail)
     SELECT '2026-05-14T10:30:25+00:00', 'acme::alice', 'tool.call', 'success', hex(randomblob(1950)) FROM n`,
  ).run(rows)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
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
