import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, test } from 'node:test'
import type { Config } from '../config/config.ts'
import { readConfig } from '../config/load.ts'
import { filesOptions } from '../sources/files.ts'
import { globs } from '../sources/globs.ts'
import { sqliteOptions } from '../sources/sqlite.ts'
import { localOptions } from '../targets/local.ts'
import type { Context } from './context.ts'
import { init } from './init.ts'
import type { InitInput, InitResult } from './init.ts'
import type { Report } from './report.ts'
import { engineContext } from '../../test/support/engine-context.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'sealift-init-'))
  folder = path.join(root, 'My Notes')
  await mkdir(folder)
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

const context = (more: Partial<Context> = {}): Context =>
  engineContext(path.join(root, 'state'), { now: () => new Date('2026-01-02T03:04:05Z'), ...more })

async function run(more: Partial<InitInput> = {}, ctx: Context = context()): Promise<Report<InitResult>> {
  return init(ctx, { folder, output: path.join(folder, 'sealift.yaml'), force: false, ...more })
}

async function succeed(
  more: Partial<InitInput> = {},
  ctx?: Context,
): Promise<InitResult & { config: Config }> {
  const report = await run(more, ctx)
  assert.ok(report.result, JSON.stringify(report.error))
  return { ...report.result, config: await load(report.result.path) }
}

async function load(file: string, stateDir = path.join(root, 'state')): Promise<Config> {
  return readConfig({
    path: file,
    env: {},
    sourceOptions: { sqlite: sqliteOptions, files: filesOptions },
    targetOptions: { local: localOptions },
    profiles: ['generic'],
    grounds: ['backups'],
    globs,
    defaultStateDir: stateDir,
  })
}

async function put(name: string, content = 'x'): Promise<void> {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
}

async function database(name: string): Promise<void> {
  await put(name, '')
  const db = new DatabaseSync(path.join(folder, name))
  db.exec('CREATE TABLE t (a)')
  db.close()
}

const sourcesOf = (config: Config): string[] =>
  config.sources.map(({ name, kind, options }) => {
    const exclude = options['exclude'] === undefined ? '' : ` without ${JSON.stringify(options['exclude'])}`
    return `${name} ${kind} ${path.relative(folder, String(options['path']))}${exclude}`
  })

test('what an application is made of becomes sources of a valid configuration', async () => {
  await database('app/app.db')
  await put('app/app.db-wal')
  await put('app/certs/server.pem')
  await put('app/certs/server.key')
  await put('app/uploads/a.png')
  await put('app/uploads/deep/b.pem')
  await put('app/.env', 'SECRET=1')
  await put('app/.env.example')
  await put('src/main.js')
  await put('node_modules/lib/data/test.env')
  await put('docker-compose.yml', 'services: {}\n')
  const { config, found, template, app } = await succeed()
  assert.deepEqual(sourcesOf(config).toSorted(), [
    'app-db sqlite app/app.db',
    'certs files app/certs',
    'compose files docker-compose.yml',
    'env files app/.env',
    'uploads files app/uploads',
  ])
  assert.equal(app, 'my-notes')
  assert.equal(config.app, 'my-notes')
  assert.equal(template, false)
  assert.deepEqual(found.map(({ kind, source }) => `${kind} ${source}`).toSorted(), [
    'certificates certs',
    'certificates uploads',
    'compose compose',
    'data uploads',
    'env env',
    'sqlite app-db',
  ])
  const text = await readFile(config.path, 'utf8')
  assert.match(text, /# {3}\.\/src: nothing in it was recognised as data/)
  assert.doesNotMatch(text, /node_modules|SECRET/)
  assert.equal((await stat(config.path)).mode & 0o777, 0o644 & ~process.umask())
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('.part')),
    [],
  )
})

test('a live database is seen without being opened or touched', async () => {
  await put('app.db', '')
  const db = new DatabaseSync(path.join(folder, 'app.db'))
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a)')
  const before = await readdir(folder)
  const { config } = await succeed({ output: path.join(root, 'sealift.yaml') })
  assert.deepEqual(sourcesOf(config), ['app-db sqlite app.db'])
  assert.deepEqual(await readdir(folder), before)
  db.exec('INSERT INTO t VALUES (1)')
  db.close()
})

test('a database is known by its content, and what only looks like one is said', async () => {
  await database('store/records')
  await put('store/empty.db', '')
  await put('store/locked.sqlite', 'not what it seems to be')
  const report = await run()
  assert.deepEqual(
    report.result?.sources.map(({ name }) => name),
    ['records-db'],
  )
  assert.deepEqual(
    report.warnings.map(({ message }) => path.relative(folder, message)),
    ['store/locked.sqlite: named like a database, and no SQLite file: another format, or encrypted'],
  )
  assert.match(
    await readFile(path.join(folder, 'sealift.yaml'), 'utf8'),
    /empty\.db: named like a database, and empty/,
  )
})

test('databases that are not backed up are said loudly, in the file and as warnings', async () => {
  await put(
    'compose.yaml',
    'services:\n  db:\n    image: postgres:16\n    volumes:\n      - pg:/x\n      - /srv/media:/m\nvolumes:\n  pg:\n',
  )
  await put('data/postgres/PG_VERSION', '16')
  await put('data/postgres/base/1')
  await put('data/notes.txt')
  await put('storage/ibdata1')
  const report = await run()
  assert.ok(report.ok)
  assert.equal(report.warnings.length, 5)
  const said = report.warnings.map(({ message }) => message).join('\n')
  for (const each of [
    /server postgres:16/,
    /volume pg is kept/,
    /\/srv\/media is mounted/,
    /PostgreSQL/,
    /MySQL/,
  ])
    assert.match(said, each)
  const config = await load(path.join(folder, 'sealift.yaml'))
  assert.deepEqual(sourcesOf(config).toSorted(), [
    'compose files compose.yaml',
    'data files data without ["/postgres"]',
  ])
  assert.match(
    await readFile(config.path, 'utf8'),
    /# NOT BACKED UP, and it may hold data:\n(.*\n)*.*postgres:16/,
  )
})

test('nothing found gives a template that loads, and says so', async () => {
  const report = await run()
  assert.equal(report.result?.template, true)
  assert.deepEqual(
    report.warnings.map(({ code }) => code),
    ['nothing-found'],
  )
  const config = await load(path.join(folder, 'sealift.yaml'))
  assert.deepEqual(sourcesOf(config), ['app-db sqlite data/app.db', 'data files data'])
  assert.match(await readFile(config.path, 'utf8'), /the sources below are EXAMPLES/)
})

test('a configuration that is there is kept, unless it is to be replaced', async () => {
  await put('sealift.yaml', 'mine')
  const report = await run()
  assert.equal(report.error?.code, 'CONFIG_EXISTS')
  assert.equal(await readFile(path.join(folder, 'sealift.yaml'), 'utf8'), 'mine')
  await succeed({ force: true })
  assert.deepEqual(await readdir(folder), ['sealift.yaml'])
})

test('archives, passphrase and state never lie inside what is backed up', async () => {
  await put('data/a')
  const stateDir = path.join(folder, 'data/state')
  const output = path.join(folder, 'data/sealift.yaml')
  await run({ output }, context({ stateDir }))
  const config = await load(output, stateDir)
  assert.deepEqual(config.targets[0]?.options, { path: path.join(folder, 'sealift-archives') })
  assert.equal(config.seal.passphraseFile, path.join(folder, 'sealift-passphrase'))
  assert.deepEqual(sourcesOf(config), ['data files data without ["/state"]'])
})

test('root gets the places of the system', async () => {
  await put('data/a')
  const { config } = await succeed({ app: 'notes' }, context({ privileged: true }))
  assert.deepEqual(config.targets[0]?.options, { path: '/var/backups/notes' })
  assert.equal(config.seal.passphraseFile, '/etc/sealift/notes.passphrase')
})

test('odd names arrive in the configuration as they are', async () => {
  const names = [
    'a ${HOME} $$',
    'b "quoted"',
    'c: #d',
    '\u00FCml\u00E4ut \u{1F511}',
    "it's",
    'line\nbreak',
    '[1] {2}, *',
    '1.0',
    'null',
  ]
  for (const name of names) await database(`${name}/x.db`)
  const { config } = await succeed()
  const paths = config.sources.map(({ options }) =>
    path.relative(folder, path.dirname(String(options['path']))),
  )
  assert.deepEqual(paths.toSorted(), names.toSorted())
  assert.equal(new Set(config.sources.map(({ name }) => name)).size, names.length)
})

test('two things of one name get names of their own', async () => {
  await put('one/certs/a.pem')
  await put('two/certs/a.pem')
  await put('certs/a.pem')
  const { config } = await succeed()
  assert.deepEqual(sourcesOf(config).toSorted(), [
    'certs files certs',
    'one-certs files one/certs',
    'two-certs files two/certs',
  ])
})

test('symlinks and deep folders are not followed, and the first are said', async () => {
  await put('data/a')
  await database('1/2/3/4/deep.db')
  await symlink(path.join(folder, 'data'), path.join(folder, 'uploads'))
  const report = await run()
  assert.deepEqual(
    report.result?.sources.map(({ name }) => name),
    ['data'],
  )
  assert.match(
    report.warnings.map(({ message }) => message).join(),
    /uploads: a symlink, which is not followed/,
  )
  assert.ok(report.result.left_out.some((left) => left.path.endsWith('/1/2/3/4')))
})

test('a folder that is not there, and an aborted signal, end it with a named error', async () => {
  const missing = await run({ folder: path.join(root, 'nowhere'), output: path.join(root, 'sealift.yaml') })
  assert.equal(missing.error?.code, 'IO_FAILED')
  const aborted = await run({}, context({ signal: AbortSignal.abort() }))
  assert.equal(aborted.error?.code, 'CANCELLED')
  const unwritable = await run({ output: path.join(root, 'nowhere/sealift.yaml') })
  assert.equal(unwritable.error?.code, 'IO_FAILED')
  assert.deepEqual(await readdir(folder), [])
})
