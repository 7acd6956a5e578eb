import { spawn } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { appendAudit } from './mastio-chain.ts'

/**
 * The application's worker under a backup: a process of its own that commits correctly chained rows at a steady rate,
 * until its standard input is closed. It tells each commit and how long the commit took.
 */
if (import.meta.main) {
  const [, , path = '', rate = '100', checkpoint = '1000'] = process.argv
  using db = new DatabaseSync(path, { timeout: 30_000 })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpoint}`)
  const running = { on: true }
  process.stdin.once('close', () => (running.on = false)).resume()
  const interval = 1000 / Number(rate)
  for (let next = performance.now(); running.on;) {
    const before = performance.now()
    appendAudit(db, { count: 1 })
    process.stdout.write(`${(performance.now() - before).toFixed(1)}\n`)
    next += interval
    await sleep(Math.max(0, next - performance.now()))
  }
}

export interface MastioWriter extends AsyncDisposable {
  readonly pid: number
  /** Transactions that are known to be committed. */
  readonly committed: number
  /** The longest that one commit took so far, in milliseconds. */
  readonly longestStall: number
  /** Ends it at once, as a crash does: what is in the WAL stays there. */
  kill(): Promise<void>
}

export interface WriterOptions {
  readonly path: string
  /** Commits each second: 1, 10, 100. */
  readonly rate: number
  /** Pages in the WAL that make SQLite fold it in; 0 never does. */
  readonly checkpoint?: number
}

/** Starts the writer, and returns once it has committed something. */
export async function startMastioWriter(options: WriterOptions): Promise<MastioWriter> {
  const { path, rate, checkpoint = 1000 } = options
  const args = [import.meta.filename, path, String(rate), String(checkpoint)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let [committed, longestStall, rest] = [0, 0, '']
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    committed += lines.length
    longestStall = Math.max(longestStall, ...lines.map(Number))
  })
  await Promise.race([
    new Promise<void>((resolve) => child.stdout.once('data', () => resolve())),
    exited.then((code) => Promise.reject(new Error(`the writer ended with ${code}`))),
  ])
  let killed = false
  return {
    pid: child.pid ?? 0,
    get committed() {
      return committed
    },
    get longestStall() {
      return longestStall
    },
    async kill() {
      killed = true
      child.kill('SIGKILL')
      await exited
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const code = await exited
      if (code !== 0 && !killed) throw new Error(`the writer ended with ${code}`)
    },
  }
}
