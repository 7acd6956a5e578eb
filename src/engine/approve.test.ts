import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { generateKeypair } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Arranged, Arrangement } from '../profiles/arrangement.ts'
import type { ProfileFinding } from '../profiles/examination.ts'
import type { Profile } from '../profiles/profile.ts'
import { files } from '../sources/files.ts'
import { sqlite } from '../sources/sqlite.ts'
import { local } from '../targets/local.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { addRows, makeDatabase, openDatabase } from '../../test/support/sqlite-database.ts'
import { backup } from './backup.ts'
import { restore } from './restore.ts'
import type { RestoreInput } from './restore.ts'

const key = generateKeypair()
let root: string
let app: string
let archiveName: string
let seen: Arrangement[]
beforeEach(async () => {
  seen = []
  root = await mkdtemp(path.join(tmpdir(), 'sealift-approve-'))
  app = path.join(root, 'app')
  await mkdir(path.join(app, 'data'), { recursive: true })
  makeDatabase(path.join(app, 'data/app.db'), 10)
  await writeFile(path.join(app, 'app.env'), 'PORT=1\n')
  const report = await backup(context([], {}), { application: application([], {}), slots })
  assert.ok(report.ok, JSON.stringify(report.error))
  archiveName = report.result?.archive.name ?? ''
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

const slots = () => Promise.resolve([{ type: 'recipient' as const, recipient: key.recipient }])
const keys = () => Promise.resolve([{ type: 'secret' as const, secret: key.secret }])

function profile(findings: readonly ProfileFinding[], arranged: Partial<Arranged>): Profile {
  return {
    name: 'generic',
    title: 'an application',
    examine: ({ stage }) =>
      Promise.resolve({ source: 'db', facts: {}, findings: stage === 'restore' ? findings : [] }),
    arrange(arrangement) {
      seen.push(arrangement)
      return Promise.resolve({ findings: [], beside: new Map(), blocked: [], undone: [], ...arranged })
    },
  }
}

const application = (findings: readonly ProfileFinding[], arranged: Partial<Arranged>) => ({
  app: 'notes',
  profile: profile(findings, arranged),
  sources: [
    sqlite.open('db', { path: path.join(app, 'data/app.db') }),
    files.open('config', { path: path.join(app, 'app.env') }),
  ],
  targets: [local.open('disk', { path: path.join(root, 'archives') })],
  compression: 'zstd' as const,
  retention: undefined,
})

const context = (findings: readonly ProfileFinding[], arranged: Partial<Arranged>) =>
  engineContext(path.join(root, 'state'), {
    sourceDrivers: { sqlite, files },
    profiles: { generic: profile(findings, arranged) },
  })

async function bringBack(
  findings: readonly ProfileFinding[],
  arranged: Partial<Arranged> = {},
  more: Partial<RestoreInput> = {},
) {
  const input = { archive: archiveName, application: application(findings, arranged), keys, force: true }
  return restore(context(findings, arranged), { ...input, ...more })
}

const found = (weight: ProfileFinding['class']): ProfileFinding => ({
  check: `word-${weight}`,
  class: weight,
  detail: 'a sentence',
})

const liveRows = (file = path.join(app, 'data/app.db')): number => {
  using db = new DatabaseSync(file)
  return Number(db.prepare('SELECT count(*) AS n FROM entry').get()?.['n'])
}

function addLive(rows: number): void {
  using db = openDatabase(path.join(app, 'data/app.db'))
  addRows(db, rows)
}

test('findings refuse a restore with nothing changed, unless they are accepted by name; a hard one always does', async () => {
  addLive(5)
  for (const weight of ['fail', 'attention'] as const) {
    const refused = await bringBack([found(weight)])
    assert.equal(refused.error?.code, 'CHECK_FAILED')
    assert.match(refused.error.message, new RegExp(`word-${weight}: a sentence`))
  }
  const hard = await bringBack([found('hard')], {}, { accept: ['word-hard'] })
  assert.equal(hard.error?.code, 'CHECK_FAILED')
  assert.equal(liveRows(), 15)
  assert.deepEqual((await readdir(app)).toSorted(), ['app.env', 'data'])
  const noted = await bringBack([found('note'), found('fail')], {}, { accept: ['word-fail', 'word-typo'] })
  assert.ok(noted.ok, JSON.stringify(noted.error))
  assert.equal(liveRows(), 10)
  const codes = noted.warnings.map(({ code }) => code)
  assert.ok(codes.includes('check-fail') && codes.includes('nothing-to-accept'), String(codes))
  assert.deepEqual(
    noted.result?.steps.map(({ step }) => step),
    ['open', 'restore', 'check', 'swap'],
  )
})

test('the arrangement sees what is staged and a copy of what stands there, and what it says is in the report', async () => {
  addLive(5)
  const blocked = [found('fail')]
  const report = await bringBack([], { undone: ['five rows'], blocked })
  assert.ok(report.ok, JSON.stringify(report.error))
  const [arrangement] = seen
  assert.ok(arrangement !== undefined)
  const standing = arrangement.standing.get('db') ?? ''
  assert.notEqual(standing, path.join(app, 'data/app.db'))
  assert.equal(existsSync(standing), false)
  assert.equal(arrangement.standing.get('config'), path.join(app, 'app.env'))
  assert.deepEqual(report.result?.undone, ['five rows'])
  assert.deepEqual(report.result.blocked, blocked)
  assert.equal(report.result.in_place, true)
})

test('a file that must not replace the live one goes beside it, also a second time', async () => {
  await writeFile(path.join(app, 'app.env'), 'PORT=2\n')
  const beside = new Map([['config', 'app.env.restored']])
  for (let time = 0; time < 2; time += 1) {
    const report = await bringBack([], { beside })
    assert.ok(report.ok, JSON.stringify(report.error))
    assert.equal(await readFile(path.join(app, 'app.env'), 'utf8'), 'PORT=2\n')
    assert.equal(await readFile(path.join(app, 'app.env.restored'), 'utf8'), 'PORT=1\n')
    const config = report.result?.restored.find(({ source }) => source === 'config')
    assert.equal(config?.path, path.join(app, 'app.env.restored'))
  }
})

test('another folder of the application gets everything at its place', async () => {
  const into = path.join(root, 'other')
  const report = await bringBack([], {}, { into, force: false })
  assert.ok(report.ok, JSON.stringify(report.error))
  assert.equal(liveRows(path.join(into, 'data/app.db')), 10)
  assert.equal(await readFile(path.join(into, 'app.env'), 'utf8'), 'PORT=1\n')
  assert.equal(seen[0]?.live.get('config'), path.join(into, 'app.env'))
})

test('a copy elsewhere is examined, refused for nothing, and not arranged', async () => {
  const report = await bringBack([found('hard')], { undone: ['x'] }, { to: path.join(root, 'look') })
  assert.ok(report.ok, JSON.stringify(report.error))
  assert.equal(report.result?.in_place, false)
  assert.ok(report.result.checks.some(({ check, verdict }) => check === 'word-hard' && verdict === 'fail'))
  assert.deepEqual(seen, [])
})

test('the main part alone is examined all the same', async () => {
  const report = await bringBack([found('hard')], {}, { only: ['db'] })
  assert.equal(report.error?.code, 'CHECK_FAILED')
})

test('a part without the main one is not examined, and says so', async () => {
  const report = await bringBack([found('hard')], {}, { only: ['config'] })
  assert.ok(report.ok, JSON.stringify(report.error))
  assert.ok(report.warnings.some(({ code }) => code === 'not-examined'))
})

test('a guard refuses until its word is accepted', async () => {
  const running: Profile = {
    ...profile([], {}),
    guards: [
      {
        name: 'running',
        before: 'restore',
        run: () => Promise.reject(new SealiftError('GUARD_REFUSED', { guard: 'running', reason: 'it runs' })),
      },
    ],
  }
  const ctx = { ...context([], {}), profiles: { generic: running } }
  const input = { archive: archiveName, application: application([], {}), keys, force: true }
  const refused = await restore(ctx, input)
  assert.equal(refused.error?.code, 'GUARD_REFUSED')
  const accepted = await restore(ctx, { ...input, accept: ['running'] })
  assert.ok(accepted.ok, JSON.stringify(accepted.error))
  assert.deepEqual(
    accepted.warnings.map(({ code }) => code),
    ['guard-accepted'],
  )
})
