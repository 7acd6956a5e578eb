import { execFileSync, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Installation } from '../test/support/mastio-installation.ts'
import { startMastioWriter } from '../test/support/mastio-writer.ts'
import type { BackupRound, RestoreRound, Stepwise } from './mastio-page.ts'

const rate = 100
const stepwiseLimitMs = 60_000

/** One backup, as cron would run it, under the writer; then the writer alone for as long, to tell what the machine does. */
export async function measureBackup(at: Installation): Promise<BackupRound> {
  rmSync(at.join('archives'), { recursive: true, force: true })
  const during = await withWriter(at, async () => {
    const { code, ms, stderr } = await at.run('backup')
    if (code !== 0) throw new Error(stderr)
    return ms / 1000
  })
  const alone = await withWriter(at, async () => {
    await sleep(during.value * 1000)
    return 0
  })
  return { seconds: during.value, commits: during.commits, stallMs: during.stallMs, aloneMs: alone.stallMs }
}

/** The folder is wiped, restored, and the stand-in for the application started and checked against the archive. */
export async function measureRestore(at: Installation): Promise<RestoreRound> {
  rmSync(at.bundle.data, { recursive: true })
  const began = performance.now()
  const told = await at.tell(['restore', 'latest', '--force'])
  if (!told.ok) throw new Error(JSON.stringify(told.error))
  const restored = performance.now()
  execFileSync(at.stubs.deploy)
  const started = performance.now()
  writeFileSync(at.join('log'), await at.stubs.log())
  const check = await at.tell(['check', '--url', `https://localhost:${at.port}`, '--logs', 'log'])
  if (check.code !== 0) throw new Error(check.outcome.stdout)
  const ended = performance.now()
  execFileSync(at.stubs.deploy, ['--down'])
  for (const aside of told.result.set_aside as string[]) rmSync(aside, { recursive: true })
  const steps = told.result.steps as { step: string; seconds: number }[]
  const inside = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  return {
    seconds: (ended - began) / 1000,
    steps: [
      { step: 'start of the program', seconds: (restored - began) / 1000 - inside },
      ...steps,
      { step: 'start of the stand-in', seconds: (started - restored) / 1000 },
      { step: 'check', seconds: (ended - started) / 1000 },
    ],
  }
}

/** The vendor's page: `sqlite3 … ".backup …"`, which begins anew with each commit of another process. */
export async function measureStepwise(at: Installation): Promise<Stepwise> {
  const copy = at.join('stepwise.db')
  const { value, commits } = await withWriter(at, async () => {
    const began = performance.now()
    const child = spawn('sqlite3', [at.bundle.database, `.backup ${copy}`], { stdio: 'ignore' })
    const ended = new Promise<boolean>((resolve, reject) => {
      child.once('exit', (code) => resolve(code === 0))
      child.once('error', reject)
    })
    const stop = new AbortController()
    const limit = sleep(stepwiseLimitMs, false, { signal: stop.signal }).catch(() => false)
    const done = await Promise.race([ended, limit])
    stop.abort()
    const seconds = (performance.now() - began) / 1000
    child.kill('SIGKILL')
    await ended
    return { ended: done, seconds }
  })
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true })
  return { ...value, commits }
}

async function withWriter<T>(
  at: Installation,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly commits: number; readonly stallMs: number }> {
  // The first commits of a new process are slow.
  await using warm = await startMastioWriter({ path: at.bundle.database, rate })
  await sleep(500)
  await warm[Symbol.asyncDispose]()
  await using writer = await startMastioWriter({ path: at.bundle.database, rate })
  const before = writer.committed
  const value = await work()
  return { value, commits: writer.committed - before, stallMs: writer.longestStall }
}
