import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { generateKeypair } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import { generic } from '../profiles/generic/generic.ts'
import { files } from '../sources/files.ts'
import type { Source } from '../sources/source.ts'
import { sqlite } from '../sources/sqlite.ts'
import { local } from '../targets/local.ts'
import type { Target } from '../targets/target.ts'
import { faultyTarget } from '../../test/support/faulty-target.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { makeDatabase } from '../../test/support/sqlite-database.ts'
import { backup } from './backup.ts'
import type { Application, Context } from './context.ts'
import { doctor } from './doctor.ts'
import type { DoctorFinding, DoctorInput, DoctorResult } from './doctor.ts'
import { writeJournal } from './journal.ts'
import type { Report } from './report.ts'
import { engineContext } from '../../test/support/engine-context.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'sealift-doctor-'))
  await mkdir(path.join(root, 'state'), { mode: 0o700 })
  await mkdir(path.join(root, 'app'))
  makeDatabase(path.join(root, 'app/app.db'), 10)
  await writeFile(path.join(root, 'app/note.txt'), 'note')
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

const context = (more: Partial<Context> = {}): Context => engineContext(path.join(root, 'state'), more)

const db = (): Source => sqlite.open('db', { path: path.join(root, 'app/app.db') })
const tree = (exclude: string[] = []): Source => files.open('app', { path: path.join(root, 'app'), exclude })

function application(more: Partial<Application> = {}): Application {
  return {
    app: 'notes',
    profile: generic,
    sources: [db(), tree()],
    targets: [memoryTarget()],
    compression: 'zstd',
    retention: undefined,
    ...more,
  }
}

async function examine(
  input: Partial<DoctorInput> = {},
  ctx: Context = context(),
): Promise<Report<DoctorResult>> {
  return doctor(ctx, { application: application(), nodeVersion: '26.10.0', ...input })
}

/** The finding of one check. */
function of(report: Report<DoctorResult>, check: string): DoctorFinding {
  const found = report.result?.findings.filter((finding) => finding.check === check) ?? []
  const [finding] = found
  assert.ok(
    finding !== undefined && found.length === 1,
    JSON.stringify(report.result?.findings, undefined, 1),
  )
  return finding
}

async function backedUp(target: Target, at: string, verified: boolean): Promise<Context> {
  const ctx = context({ now: () => new Date(at) })
  const { recipient } = generateKeypair()
  const slots = [{ type: 'recipient', recipient }] as const
  const report = await backup(ctx, {
    application: application({ targets: [target], sources: [tree()] }),
    slots: async () => slots,
  })
  assert.ok(report.ok, JSON.stringify(report.error))
  const id = report.result?.archive.id ?? ''
  if (verified) ctx.catalog.markVerified({ archive_id: id, target: target.name, at: ctx.now() })
  return context({ catalog: ctx.catalog })
}

test('an application in order has no failing check, and nothing is left behind', async () => {
  const target = memoryTarget()
  const before = await readdir(path.join(root, 'app'))
  const report = await examine({ application: application({ targets: [target] }) })
  assert.ok(report.ok)
  assert.deepEqual(
    report.result?.findings.map(({ check, verdict }) => `${check}: ${verdict}`),
    [
      'node: ok',
      'state folder: ok',
      'restore journal: ok',
      'source db: ok',
      'source app: ok',
      'databases in app: ok',
      'archives in app: ok',
      'scratch space: ok',
      'target memory: ok',
      'space at memory: ok',
      'off-host: ok',
      'newest archive: attention',
    ],
  )
  assert.equal(report.result.verdict, 'attention')
  assert.match(of(report, 'source db').detail, /readable, about .* in WAL mode$/)
  assert.equal(target.objects.size, 0)
  assert.deepEqual(await readdir(path.join(root, 'app')), before)
  assert.deepEqual(await readdir(path.join(root, 'state')), ['journal'])
})

test('with --deep every source is really snapshotted, and the copies are gone afterwards', async () => {
  const report = await examine({ deep: true })
  assert.match(of(report, 'snapshot of db').detail, /^works: 1 member/)
  assert.equal(of(report, 'snapshot of app').verdict, 'ok')
  assert.equal(of(report, 'lock').verdict, 'ok')
  assert.deepEqual(await readdir(path.join(root, 'state/scratch')).catch(() => []), [])
})

test('a damaged database fails the deep look only, with its reason', async () => {
  await writeFile(
    path.join(root, 'app/app.db'),
    Buffer.concat([Buffer.from('SQLite format 3\0'), randomBytes(9000)]),
  )
  assert.ok((await examine({ application: application({ sources: [db()] }) })).ok)
  const report = await examine({ deep: true, application: application({ sources: [db()] }) })
  assert.equal(of(report, 'snapshot of db').verdict, 'fail')
  assert.equal(report.error?.code, 'NOT_READY')
  assert.match(report.error.message, /snapshot of db/)
})

test('one failing check hides no other', async () => {
  await rm(path.join(root, 'app'), { recursive: true })
  const report = await examine({ nodeVersion: '20.19.0' })
  assert.equal(report.error?.code, 'NOT_READY')
  assert.equal(report.result?.verdict, 'fail')
  assert.match(of(report, 'node').fix ?? '', /install Node 26/)
  for (const check of ['source db', 'source app']) assert.equal(of(report, check).verdict, 'fail')
  assert.match(of(report, 'source db').fix ?? '', /sealift\.yaml/)
  assert.equal(of(report, 'target memory').verdict, 'ok')
})

test('without a configuration the program itself is examined', async () => {
  const report = await doctor(context(), { nodeVersion: '26.10.0' })
  assert.ok(report.ok)
  assert.equal(of(report, 'configuration').verdict, 'attention')
  assert.equal(of(report, 'state folder').verdict, 'ok')
})

test('a state folder that others may enter, that is missing, and that is none', async () => {
  await chmod(path.join(root, 'state'), 0o755)
  assert.match(of(await examine(), 'state folder').fix ?? '', /^chmod 0700/)
  assert.equal((await stat(path.join(root, 'state'))).mode & 0o777, 0o755)
  const missing = context({ stateDir: path.join(root, 'new') })
  assert.match(of(await examine({}, missing), 'state folder').detail, /not there yet/)
  await writeFile(path.join(root, 'file'), '')
  const none = await examine({}, context({ stateDir: path.join(root, 'file') }))
  assert.equal(of(none, 'state folder').verdict, 'fail')
})

test('an interrupted restore is said', async () => {
  await writeJournal(path.join(root, 'state'), {
    journal: 1,
    app: 'notes',
    run: 'abcd',
    state: 'swapping',
    staging: [],
    asides: [],
    moves: [],
    attributes: [],
  })
  const finding = of(await examine(), 'restore journal')
  assert.equal(finding.verdict, 'attention')
  assert.match(finding.detail, /notes \(run abcd\) is swapping/)
})

test('a database in a tree wants attention unless a source claims it or it is excluded', async () => {
  makeDatabase(path.join(root, 'app/other.sqlite'), 1)
  await mkdir(path.join(root, 'app/pg'))
  await writeFile(path.join(root, 'app/pg/PG_VERSION'), '16')
  const finding = of(await examine(), 'databases in app')
  assert.equal(finding.verdict, 'attention')
  assert.match(finding.detail, /app\/other\.sqlite/)
  assert.match(finding.detail, /app\/pg/)
  assert.doesNotMatch(finding.detail, /app\.db/)
  const excluded = application({ sources: [db(), tree(['other.sqlite', 'pg'])] })
  assert.equal(of(await examine({ application: excluded }), 'databases in app').verdict, 'ok')
})

test('a source that is the folder of a database server wants attention', async () => {
  await writeFile(path.join(root, 'app/PG_VERSION'), '16')
  const finding = of(await examine(), 'databases in app')
  assert.equal(finding.verdict, 'attention')
})

test('a target that cannot be written to fails with its reason', async () => {
  const target = faultyTarget(memoryTarget('away'), [{ on: 'create', code: 'EIO' }])
  const report = await examine({ application: application({ targets: [memoryTarget(), target] }) })
  assert.equal(of(report, 'target away').verdict, 'fail')
  assert.equal(of(report, 'target memory').verdict, 'ok')
})

test('a target without room fails before a backup does', async () => {
  await writeFile(path.join(root, 'app/large'), randomBytes(100_000))
  const space = async (capacity: number): Promise<string> =>
    of(await examine({ application: application({ targets: [memoryTarget('t', capacity)] }) }), 'space at t')
      .verdict
  assert.equal(await space(50_000), 'fail')
  assert.equal(await space(200_000), 'attention')
  assert.equal(await space(2_000_000), 'ok')
})

test('archives on the disk of the sources are not off-host', async () => {
  const near = local.open('near', { path: path.join(root, 'archives') })
  const only = await examine({ application: application({ targets: [near] }) })
  assert.equal(of(only, 'off-host').verdict, 'attention')
  const both = await examine({ application: application({ targets: [near, memoryTarget()] }) })
  assert.equal(of(both, 'off-host').verdict, 'ok')
  assert.deepEqual(await readdir(path.join(root, 'archives')), [])
})

test('archives that a symlink leads into a tree want attention', async () => {
  await mkdir(path.join(root, 'app/archives'))
  await symlink(path.join(root, 'app/archives'), path.join(root, 'elsewhere'))
  const target = local.open('t', { path: path.join(root, 'elsewhere') })
  const taken = await examine({ application: application({ targets: [target] }) })
  assert.match(of(taken, 'archives in app').detail, /takes in .*app\/archives/)
  const excluded = application({ targets: [target], sources: [tree(['/archives'])] })
  assert.equal(of(await examine({ application: excluded }), 'archives in app').verdict, 'ok')
})

test('key files are judged by what a run would judge them by', async () => {
  const report = await examine({
    keyFiles: ['/good', '/bad'],
    checkKeyFile: async (file) => {
      if (file === '/bad') throw new SealiftError('KEY_FILE_REFUSED', { path: file, reason: 'mode 0644' })
      return '0400 is better'
    },
  })
  assert.equal(of(report, 'key file /good').verdict, 'ok')
  assert.match(of(report, 'key file /good').detail, /root; 0400 is better$/)
  assert.match(of(report, 'key file /bad').detail, /mode 0644/)
  assert.equal(report.ok, false)
})

test('the newest archive: verified, never verified, old, from the future', async () => {
  const newest = async (at: string, verified: boolean): Promise<Report<DoctorResult>> => {
    const target = memoryTarget()
    const ctx = await backedUp(target, at, verified)
    return examine({ application: application({ targets: [target] }) }, ctx)
  }
  const sound = await newest('2026-01-09T00:00:00Z', true)
  assert.equal(of(sound, 'newest archive').verdict, 'ok')
  assert.equal(of(sound, 'clock').verdict, 'ok')
  assert.equal(sound.result?.verdict, 'ok')
  assert.match(of(await newest('2026-01-09T00:00:00Z', false), 'newest archive').detail, /never verified/)
  assert.match(of(await newest('2025-12-01T00:00:00Z', true), 'newest archive').detail, /40 days old/)
  const future = await newest('2026-01-11T00:00:00Z', true)
  assert.equal(of(future, 'clock').verdict, 'attention')
})

test('a file that looks like an archive and is none is named', async () => {
  const target = memoryTarget()
  target.objects.set('notes-20260101T000000Z.sealift', { bytes: Buffer.from('x'), modifiedAt: new Date(0) })
  const report = await examine({ application: application({ targets: [target] }) })
  assert.match(of(report, 'unreadable archives').detail, /notes-20260101T000000Z\.sealift at memory/)
})

test('an aborted signal ends the examination', async () => {
  const abort = new AbortController()
  const emit = (): void => abort.abort()
  const report = await examine({}, context({ signal: abort.signal, emit }))
  assert.equal(report.error?.code, 'CANCELLED')
})
