import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, linkSync, lutimesSync, mkdirSync, mkdtempSync } from 'node:fs'
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sealift } from './journey-program.ts'
import type { State } from './journey-state.ts'
import { stateOf } from './journey-state.ts'

/** Stands in every file and every row of the application: wherever else it is found, plaintext was left. */
export const marker = 'PLAINTEXT-OF-THE-APPLICATION'

/** Rows of the database in the archive, and in the live database with its log. */
export const archivedRows = 505
export const liveRows = 3005

/** The places of the application, below the world's folder. */
export const places = ['app', 'certs', 'app.env'] as const

/**
 * A machine in a folder: an application with its configuration, keys, state folder and archives. Its sources are a
 * database, a tree that the database lies in, a second tree and a single file.
 */
export interface World extends Disposable {
  readonly folder: string
  join(...parts: string[]): string
  /** The places as they are now. */
  state(): State
}

/** A world to copy from, with what its places are before and after a restore of its newest archive. */
export interface Template extends World {
  readonly old: State
  readonly new: State
  copy(): World
}

/**
 * Makes the application (with `crumbs` files of one byte more), seals it (`archives` times), and then lets it go on: files change, come and go, and 2,500 rows wait in the log of a database that was never closed.
 */
export async function makeTemplate(
  options: { readonly archives?: number; readonly crumbs?: number } = {},
): Promise<Template> {
  const world = emptyWorld()
  layApplication(world)
  for (let crumb = 0; crumb < (options.crumbs ?? 0); crumb++) writeFileSync(world.join(`certs/${crumb}`), '.')
  await okay(world, 'keygen', 'key')
  const recipient = /sealift-recipient-v1:[\w-]+/.exec(readFileSync(world.join('key'), 'utf8'))?.[0] ?? ''
  writeFileSync(world.join('pass'), 'correct horse battery staple\n', { mode: 0o600 })
  writeFileSync(world.join('sealift.yaml'), configuration(recipient))
  for (let made = 0; made < (options.archives ?? 1); made++) await okay(world, 'backup')
  goOn(world)
  const old = world.state()
  const tried = copyOf(world)
  await okay(tried, 'restore', 'latest', '--force', '--key-file', 'key')
  const fresh = tried.state()
  tried[Symbol.dispose]()
  return { ...world, old, new: fresh, copy: () => copyOf(world) }
}

/** A folder with nothing in it, gone when it is disposed of. */
export function emptyWorld(under = tmpdir()): World {
  const folder = mkdtempSync(join(under, 'sealift-journey-'))
  return worldAt(folder)
}

export function worldAt(folder: string): World {
  return {
    folder,
    join: (...parts) => join(folder, ...parts),
    state: () => stateOf(folder, places),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** Another world of the same content. A journal in it is about the copy. */
export function copyOf(world: World): World {
  const copy = emptyWorld()
  execFileSync('cp', ['-a', `${world.folder}/.`, copy.folder])
  const journals = copy.join('state/journal')
  for (const name of existsSync(journals) ? readdirSync(journals) : []) {
    const text = readFileSync(join(journals, name), 'utf8')
    writeFileSync(join(journals, name), text.replaceAll(world.folder, copy.folder))
  }
  return copy
}

export function configuration(recipient: string, more = ''): string {
  return `version: 1
app: notes
state_dir: state
sources:
  - { name: db, kind: sqlite, path: app/data/app.db }
  - { name: app, kind: files, path: app }
  - { name: certs, kind: files, path: certs }
  - { name: env, kind: files, path: app.env }
targets:
  - { name: disk, kind: local, path: archives }
${more}seal:
  recipients: ["${recipient}"]
retention: { keep_last: 1 }
`
}

function layApplication(world: World): void {
  for (const name of ['app', 'app/data', 'app/empty', 'certs']) mkdirSync(world.join(name))
  const text = (name: string, mode: number, content: string): void => {
    writeFileSync(world.join(name), `${marker} ${content}\n`, { mode })
    chmodSync(world.join(name), mode)
  }
  text('app/settings.json', 0o640, 'settings')
  text('app/big.bin', 0o600, 'x'.repeat(1_500_000))
  text('certs/ca.pem', 0o644, 'certificate')
  text('certs/ca.key', 0o600, 'private')
  text('app.env', 0o600, 'SECRET=1')
  symlinkSync('settings.json', world.join('app/current'))
  linkSync(world.join('app/settings.json'), world.join('app/settings.bak'))
  chmodSync(world.join('app/data'), 0o2750)
  chmodSync(world.join('app/empty'), 0o700)
  chmodSync(world.join('certs'), 0o750)
  const db = new DatabaseSync(world.join('app/data/app.db'))
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE entry (n INTEGER PRIMARY KEY, text TEXT)')
  addRows(db, archivedRows, 2000)
  db.close()
  chmodSync(world.join('app/data/app.db'), 0o640)
  if (process.geteuid?.() === 0) {
    for (const name of ['app/data', 'app/data/app.db', 'app/big.bin'])
      chownSync(world.join(name), 10001, 10002)
  }
  for (const name of readdirSync(world.join('app'))) lutimesSync(world.join('app', name), 1.7e9, 1.7e9)
  for (const name of ['certs/ca.pem', 'certs/ca.key', 'app.env', 'app/data/app.db'])
    utimesSync(world.join(name), 1.6e9, 1.6e9)
}

/** What happens after the backup: the crash image of a database, a changed, a new and a lost file. */
function goOn(world: World): void {
  const file = world.join('app/data/app.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA wal_autocheckpoint = 0')
  addRows(db, liveRows - archivedRows, 400)
  const image = world.join('image')
  mkdirSync(image)
  for (const sidecar of ['', '-wal', '-shm'])
    copyFileSync(file + sidecar, join(image, basename(file) + sidecar))
  db.close()
  for (const sidecar of ['', '-wal', '-shm'])
    copyFileSync(join(image, basename(file) + sidecar), file + sidecar)
  rmSync(image, { recursive: true })
  writeFileSync(world.join('certs/ca.pem'), `${marker} another certificate\n`)
  writeFileSync(world.join('app.env'), `${marker} SECRET=2\n`)
  writeFileSync(world.join('app/newcomer'), `${marker} came later\n`)
  rmSync(world.join('app/current'))
}

function addRows(db: DatabaseSync, count: number, bytes: number): void {
  db.exec('BEGIN')
  const insert = db.prepare(`INSERT INTO entry (text) VALUES ('${marker} ' || hex(randomblob(${bytes / 2})))`)
  for (let row = 0; row < count; row++) insert.run()
  db.exec('COMMIT')
}

/** Runs the program and throws, with all it said, unless it ended well. */
export async function okay(world: World, ...args: string[]): Promise<string> {
  const { code, signal, stdout, stderr } = await sealift(world, args)
  if (code !== 0) throw new Error(`sealift ${args.join(' ')}: ${code ?? signal}\n${stdout}${stderr}`)
  return stdout
}

/** Where the checkout is. */
export const root = resolve(dirname(import.meta.filename), '../..')

/** Whether a mount namespace of one's own may be made here. */
export function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', 'true']).status === 0
}
