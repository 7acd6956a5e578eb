import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { makeDatabase, openDatabase } from '../../test/support/sqlite-database.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun } from '../../test/suites/source.ts'
import { run } from './process.ts'
import { sqlite } from './sqlite.ts'

const driver = new URL('./sqlite.ts', import.meta.url).href
const signal = new AbortController().signal

/** Tries to write in a process of its own: what an application sees. */
async function write(path: string): Promise<string> {
  const program = `
    import { DatabaseSync } from 'node:sqlite'
    const db = new DatabaseSync(process.argv[1], { timeout: 0 })
    try {
      db.exec("INSERT INTO entry (text) VALUES ('x')")
      console.log('written')
    } catch (error) {
      console.log(error.message)
    }`
  return (
    await run(process.execPath, ['--input-type=module', '-e', program, path], { signal, env: {} })
  ).toString()
}

test('the locks of a process that holds the database survive its own backup of it', async () => {
  await using folder = await testFolder()
  await using scratch = await scratchRun()
  const path = folder.join('app.db')
  makeDatabase(path, 10, 'delete')
  using db = openDatabase(path)
  db.exec("BEGIN IMMEDIATE; INSERT INTO entry (text) VALUES ('held')")
  const source = sqlite.open('db', { path })
  await source.estimate(signal)
  {
    await using snapshot = await source.snapshot(scratch.context)
    assert.deepEqual(snapshot.describe().rows, { entry: 10 })
  }
  assert.match(await write(path), /database is locked/)
  db.exec('ROLLBACK')
  assert.match(await write(path), /written/)
})

test('the child process ends when the process that started it is killed', async () => {
  await using folder = await testFolder()
  await using scratch = await scratchRun()
  const path = folder.join('app.db')
  makeDatabase(path, 10, 'delete')
  using db = openDatabase(path)
  db.exec('BEGIN EXCLUSIVE')
  // The lock keeps the child waiting inside SQLite, where it hears nothing.
  const program = `
    const { sqlite } = await import(${JSON.stringify(driver)})
    const [, path, scratch] = process.argv
    const context = { signal: new AbortController().signal, now: () => new Date(), scratch, claimed: new Set() }
    await sqlite.open('db', { path, timeout: 600 }).snapshot(context)`
  const args = ['--input-type=module', '-e', program, path, scratch.context.scratch]
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const exited = new Promise((resolve) => parent.once('exit', resolve))
  const child = await waitFor(() => childOf(parent.pid ?? 0, 'sqlite-child'))
  parent.kill('SIGKILL')
  await exited
  await waitFor(() => (existsSync(`/proc/${child}/exe`) ? undefined : true))
})

/** The process that `pid` started for the program, once that has the database open. */
function childOf(pid: number, program: string): string | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return children.split(' ').find((child) => {
    if (child === '' || !readFileSync(`/proc/${child}/cmdline`, 'latin1').includes(program)) return false
    return readdirSync(`/proc/${child}/fd`).some((fd) => linkOf(`/proc/${child}/fd/${fd}`).endsWith('.db'))
  })
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed between the listing and the look.
    return ''
  }
}

/** Looks until there is something, at most half a minute. */
async function waitFor<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 3000; tries += 1) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('waited in vain')
}
