import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Places as sorted lines of text: one for each file, folder and link, with mode, owner, time and hash; row counts. */
export type State = readonly string[]

/** The state of places below a folder. What only helps readers of a database to find their way (`-shm`) is left out. */
export function stateOf(folder: string, names: readonly string[]): State {
  const lines: string[] = []
  for (const name of names) describe(folder, name, lines)
  return lines.toSorted()
}

function describe(folder: string, name: string, lines: string[]): void {
  const path = join(folder, name)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || name.endsWith('.db-shm') || (name.endsWith('.db-wal') && stat.size === 0)) return
  const what = `${name} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`
  if (stat.isDirectory()) {
    lines.push(`${what} folder`)
    for (const entry of readdirSync(path)) describe(folder, join(name, entry), lines)
  } else if (stat.isSymbolicLink()) {
    lines.push(`${what} -> ${readlinkSync(path)}`)
  } else {
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
    lines.push(`${what} ${stat.nlink} ${Math.floor(stat.mtimeMs)} ${stat.size} ${hash}`)
    if (name.endsWith('.db')) lines.push(`${name} rows ${rowsOf(path)}`)
  }
}

/** The rows that an application would find in a database file, with the log beside it. The files stay untouched. */
export function rowsOf(file: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealift-rows-'))
  try {
    for (const sidecar of ['', '-wal'])
      if (existsSync(file + sidecar)) copyFileSync(file + sidecar, join(folder, `copy${sidecar}`))
    using db = new DatabaseSync(join(folder, 'copy'))
    const check = db.prepare('PRAGMA integrity_check').get()?.['integrity_check']
    const table = file.endsWith('mcp_proxy.db') ? 'audit_log' : 'entry'
    return `${Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])} ${String(check)}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Which of the known states this is. Anything else, and every mixture, fails with the lines that differ. */
export function assertOneOf<Name extends string>(actual: State, known: Readonly<Record<Name, State>>): Name {
  const names = Object.keys(known) as Name[]
  const text = actual.join('\n')
  const found = names.find((name) => known[name].join('\n') === text)
  if (found !== undefined) return found
  const told = names.map((name) => `not ${name}:\n${difference(actual, known[name])}`)
  throw new assert.AssertionError({ message: `it is in none of its states\n${told.join('\n')}` })
}

function difference(actual: State, expected: State): string {
  const extra = actual.filter((line) => !expected.includes(line)).map((line) => `  + ${line}`)
  const missing = expected.filter((line) => !actual.includes(line)).map((line) => `  - ${line}`)
  return [...extra, ...missing].join('\n')
}
