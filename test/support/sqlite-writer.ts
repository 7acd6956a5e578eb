import { spawn } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'

/**
 * The application under a backup: a process of its own that commits one transaction after another (row n into both
 * `left` and `right`) until its standard input is closed.
 */
if (import.meta.main) {
  const [, , path = '', journal = 'wal'] = process.argv
  using db = new DatabaseSync(path, { timeout: 30_000 })
  db.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = OFF`)
  db.exec('CREATE TABLE "left" (n INTEGER, pad TEXT); CREATE TABLE "right" (n INTEGER, pad TEXT)')
  const left = db.prepare('INSERT INTO "left" VALUES (?, hex(randomblob(200)))')
  const right = db.prepare('INSERT INTO "right" VALUES (?, hex(randomblob(200)))')
  const running = { on: true }
  process.stdin.once('close', () => (running.on = false)).resume()
  for (let n = 1; running.on; n += 1) {
    db.exec('BEGIN IMMEDIATE')
    left.run(n)
    right.run(n)
    db.exec('COMMIT')
    process.stdout.write(`${n}\n`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

export interface Writer extends AsyncDisposable {
  /** The last transaction that is known to be committed. */
  readonly committed: number
}

/** Starts the writer, and returns once it has committed something. */
export async function startWriter(path: string, journal: 'wal' | 'delete'): Promise<Writer> {
  const child = spawn(process.execPath, [import.meta.filename, path, journal], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let committed = 0
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const first = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  child.stdout.on('data', (lines: Buffer) => {
    committed = Number(lines.toString('latin1').trim().split('\n').at(-1))
  })
  await first
  return {
    get committed() {
      return committed
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const code = await exited
      if (code !== 0) throw new Error(`the writer ended with ${code}`)
    },
  }
}
