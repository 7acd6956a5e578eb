import { writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { ManifestSource } from '../../src/manifest.ts'
import type { Snapshot, Source } from '../../src/sources/source.ts'
import { scratchRun } from '../suites/source.ts'
import { testFolder } from './tree-folder.ts'

/** A database with the table `entry` of `rows` rows, closed again unless it is kept open. */
export function makeDatabase(path: string, rows: number, journal: 'wal' | 'delete' = 'wal'): void {
  using db = openDatabase(path)
  db.exec(`PRAGMA journal_mode = ${journal}; CREATE TABLE entry (n INTEGER PRIMARY KEY, text TEXT)`)
  addRows(db, rows)
}

export function openDatabase(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: 5000 })
}

export function addRows(db: DatabaseSync, rows: number): void {
  db.exec('BEGIN')
  const insert = db.prepare("INSERT INTO entry (text) VALUES ('row ' || hex(randomblob(40)))")
  for (let row = 0; row < rows; row += 1) insert.run()
  db.exec('COMMIT')
}

/** What one snapshot of a source of one file gave. */
export interface Taken {
  readonly path: string
  readonly bytes: Buffer
  readonly mode: number
  readonly uid: number
  readonly mtimeMs: number
  readonly description: ReturnType<Snapshot['describe']>
  readonly recorded: ManifestSource
}

export async function takeOne(source: Source): Promise<Taken> {
  await using run = await scratchRun()
  await using snapshot = await source.snapshot(run.context)
  const taken: Omit<Taken, 'description' | 'recorded'>[] = []
  for await (const { path, content, mode, uid, mtimeMs } of snapshot.members()) {
    const pieces: Buffer[] = []
    for await (const piece of content?.() ?? []) pieces.push(Buffer.from(piece))
    taken.push({ path, bytes: Buffer.concat(pieces), mode, uid, mtimeMs })
  }
  const [only] = taken
  if (only === undefined || taken.length > 1) throw new Error(`${taken.length} members instead of one`)
  const description = snapshot.describe()
  const { facts, versions, rows } = description
  const recorded: ManifestSource = {
    name: source.name,
    kind: source.kind,
    place: source.place,
    snapshot_at: snapshot.takenAt.toISOString(),
    versions,
    ...(rows === undefined ? {} : { rows }),
    facts,
    members: 1,
    bytes: only.bytes.length,
  }
  return { ...only, description, recorded }
}

/** Opens the bytes of a snapshot as a database, for as long as `read` takes. */
export async function readCopy<T>(bytes: Buffer, read: (db: DatabaseSync) => T): Promise<T> {
  await using folder = await testFolder()
  const path = folder.join('copy.db')
  await writeFile(path, bytes)
  using db = new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true })
  return read(db)
}

export function count(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
}
