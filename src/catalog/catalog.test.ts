import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { promisify } from 'node:util'

import type { RunRecord } from './catalog.ts'
import { catalogInMemory, openCatalog } from './catalog.ts'
import { migrations } from './migrations.ts'

const at = new Date('2026-05-14T10:30:25.123Z')
const now = () => at

async function emptyFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-catalog-'))
  return {
    folder,
    path: join(folder, 'catalog.db'),
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }),
  }
}

const run = (id: string, started_at = '2026-05-14T10:30:25Z'): RunRecord => ({
  id,
  verb: 'backup',
  app: 'wiki',
  started_at,
  finished_at: '2026-05-14T10:31:00Z',
  ok: true,
  report: { members: 3, warnings: ['ä'] },
})

const archive = (archive_id: string, created_at: string, size = 100) => ({
  archive_id,
  app: 'wiki',
  target: 'disk',
  name: `wiki-${archive_id}.sealift`,
  created_at,
  size,
  written_at: '2026-05-14T10:31:00Z',
})

test('runs come back as they were recorded, newest first, after the catalog was closed', async () => {
  await using place = await emptyFolder()
  const failed: RunRecord = { ...run('2', '2026-05-14T11:00:00Z'), ok: false, error_code: 'LOCKED' }
  const full: RunRecord = {
    ...run('3', '2026-05-14T12:00:00Z'),
    archive_id: 'aa',
    target: 'disk',
    name: 'wiki.sealift',
    bytes: 2 ** 40,
    report: null,
  }
  {
    using catalog = openCatalog(place.path)
    for (const each of [failed, run('1'), full]) catalog.recordRun(each)
    catalog.recordRun({ ...full, bytes: 5 })
  }
  using catalog = openCatalog(place.path)
  assert.deepEqual(catalog.recentRuns(10), [{ ...full, bytes: 5 }, failed, run('1')])
  assert.deepEqual(catalog.recentRuns(1), [{ ...full, bytes: 5 }])
  assert.deepEqual(catalog.warnings, [])
})

test('the newest verified archive goes by its own time, per application and target', () => {
  using catalog = catalogInMemory()
  catalog.recordArchive(archive('old', '2026-05-01T00:00:00Z'))
  catalog.recordArchive(archive('new', '2026-05-03T00:00:00Z'))
  catalog.recordArchive(archive('mid', '2026-05-02T00:00:00Z'))
  catalog.recordArchive({ ...archive('far', '2026-05-09T00:00:00Z'), target: 's3' })
  catalog.recordArchive({ ...archive('other', '2026-05-09T00:00:00Z'), app: 'shop' })
  assert.equal(catalog.newestVerified('wiki', 'disk'), undefined)
  for (const id of ['other', 'mid', 'old']) catalog.markVerified({ archive_id: id, target: 'disk', at })
  catalog.markVerified({ archive_id: 'far', target: 's3', at })
  assert.deepEqual(catalog.newestVerified('wiki', 'disk'), archive('mid', '2026-05-02T00:00:00Z'))
  assert.equal(catalog.newestVerified('shop', 's3'), undefined)
  catalog.recordArchive(archive('mid', '2026-05-02T00:00:00Z', 999))
  assert.equal(catalog.newestVerified('wiki', 'disk')?.size, 999)
})

test('a verification is known before its archive is recorded, and forgotten with it', () => {
  using catalog = catalogInMemory()
  assert.equal(catalog.verified('aa', 'disk'), undefined)
  catalog.markVerified({ archive_id: 'aa', target: 'disk', at })
  assert.deepEqual(catalog.verified('aa', 'disk'), at)
  assert.equal(catalog.verified('aa', 's3'), undefined)
  catalog.recordArchive(archive('aa', '2026-05-03T00:00:00Z'))
  assert.equal(catalog.newestVerified('wiki', 'disk')?.archive_id, 'aa')
  const later = new Date('2026-06-01T00:00:00Z')
  catalog.markVerified({ archive_id: 'aa', target: 'disk', at: later })
  assert.deepEqual(catalog.verified('aa', 'disk'), later)
  catalog.forget('aa', 'disk')
  assert.equal(catalog.verified('aa', 'disk'), undefined)
  assert.equal(catalog.newestVerified('wiki', 'disk'), undefined)
})

test('the file is 0600 in a folder made 0700', async () => {
  await using place = await emptyFolder()
  const path = join(place.folder, 'state', 'catalog.db')
  using catalog = openCatalog(path)
  catalog.recordRun(run('1'))
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(place.folder, 'state'))).mode & 0o777, 0o700)
})

test('processes that open a new catalog and write to it at once lose nothing', async () => {
  await using place = await emptyFolder()
  const code = `
    import { openCatalog } from ${JSON.stringify(import.meta.resolve('./catalog.ts'))}
    using catalog = openCatalog(${JSON.stringify(place.path)})
    for (let n = 0; n < 20; n++) catalog.recordRun({ ...${JSON.stringify(run('x'))}, id: process.pid + '-' + n })
    process.stdout.write(JSON.stringify(catalog.warnings))`
  const node = promisify(execFile)
  const ends = await Promise.all(
    [1, 2, 3, 4].map(
      async () => await node(process.execPath, ['--input-type=module-typescript', '-e', code]),
    ),
  )
  for (const { stdout } of ends) assert.equal(stdout, '[]')
  using catalog = openCatalog(place.path)
  assert.equal(catalog.recentRuns(1000).length, 80)
})

test('a file that is no catalog is set aside whole, and a new one begun', async () => {
  const foreign = (path: string) => {
    using database = new DatabaseSync(path)
    database.exec('CREATE TABLE runs (x); PRAGMA user_version = 1')
  }
  const contents: readonly ((path: string) => void | Promise<void>)[] = [
    async (path) => await writeFile(path, 'no database at all '.repeat(100)),
    foreign,
    (path) => {
      using database = new DatabaseSync(path)
      database.exec('CREATE TABLE runs (x)')
    },
  ]
  for (const make of contents) {
    await using place = await emptyFolder()
    await make(place.path)
    await writeFile(`${place.path}-journal`, '')
    const before = await readFile(place.path)
    using catalog = openCatalog(place.path, now)
    const aside = `${place.path}.corrupt-20260514T103025Z`
    assert.deepEqual(
      catalog.warnings.map(({ code, path }) => ({ code, path })),
      [{ code: 'catalog-set-aside', path: place.path }],
    )
    assert.ok(catalog.warnings[0]?.message.includes(aside))
    assert.deepEqual(await readFile(aside), before)
    catalog.recordRun(run('1'))
    using again = openCatalog(place.path)
    assert.deepEqual(again.recentRuns(5), [run('1')])
    assert.deepEqual(again.warnings, [])
  }
})

test('a catalog of a newer version is set aside by that word', async () => {
  await using place = await emptyFolder()
  openCatalog(place.path)[Symbol.dispose]()
  {
    using database = new DatabaseSync(place.path)
    database.exec(`PRAGMA user_version = ${migrations.length + 1}`)
  }
  using catalog = openCatalog(place.path, now)
  assert.match(catalog.warnings[0]?.message ?? '', /newer version of Sealift/)
  assert.ok((await readdir(place.folder)).includes('catalog.db.newer-20260514T103025Z'))
})

test('damage that shows only later is set aside too, and the call succeeds on a new catalog', async () => {
  await using place = await emptyFolder()
  {
    using catalog = openCatalog(place.path)
    for (let n = 0; n < 200; n++) catalog.recordRun({ ...run(`run-${n}`), report: 'x'.repeat(500) })
  }
  await spoilAllButTheFirstPage(place.path)
  using catalog = openCatalog(place.path, now)
  assert.equal(catalog.warnings.length, 0)
  assert.deepEqual(catalog.recentRuns(1000), [])
  assert.equal(catalog.warnings[0]?.code, 'catalog-set-aside')
  catalog.recordRun(run('1'))
  assert.deepEqual(catalog.recentRuns(5), [run('1')])
  assert.equal(catalog.warnings.length, 1)
})

test('a second damage within one second gets another name', async () => {
  await using place = await emptyFolder()
  for (const turn of [1, 2]) {
    await writeFile(place.path, `no database ${turn} `.repeat(100))
    openCatalog(place.path, now)[Symbol.dispose]()
  }
  const asides = (await readdir(place.folder)).filter((name) => name.includes('corrupt')).toSorted()
  assert.deepEqual(asides, ['catalog.db.corrupt-20260514T103025Z', 'catalog.db.corrupt-20260514T103025Z-2'])
})

test('where no file can be opened the catalog works in memory and says so', async () => {
  await using place = await emptyFolder()
  await mkdir(place.path)
  await writeFile(join(place.folder, 'file'), '')
  for (const path of [place.path, join(place.folder, 'file', 'catalog.db')]) {
    using catalog = openCatalog(path)
    assert.equal(catalog.warnings[0]?.code, 'catalog-unavailable')
    catalog.recordRun(run('1'))
    assert.deepEqual(catalog.recentRuns(5), [run('1')])
  }
})

test('what cannot be written is IO_FAILED with its place, and the record before it stays', async () => {
  await using place = await emptyFolder()
  using catalog = openCatalog(place.path)
  catalog.recordRun(run('1'))
  const wrong = { ...run('2'), bytes: 0.5 }
  assert.throws(() => catalog.recordRun(wrong), {
    code: 'IO_FAILED',
    message: `record a run in ${place.path}: cannot store REAL value in INTEGER column runs.bytes`,
  })
  assert.deepEqual(catalog.recentRuns(5), [run('1')])
})

async function spoilAllButTheFirstPage(path: string): Promise<void> {
  await using file = await open(path, 'r+')
  const { size } = await file.stat()
  await file.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096)
}

test('the predecessor is the newest archive with facts that did not fail', () => {
  using catalog = catalogInMemory()
  assert.equal(catalog.predecessor('wiki'), undefined)
  catalog.recordArchive(archive('plain', '2026-05-09T00:00:00Z'))
  catalog.recordArchive({ ...archive('bad', '2026-05-08T00:00:00Z'), verdict: 'fail', facts: { head: 9 } })
  const good = {
    ...archive('good', '2026-05-07T00:00:00Z'),
    verdict: 'attention',
    facts: { head: 7 },
  } as const
  catalog.recordArchive(good)
  catalog.recordArchive({ ...archive('old', '2026-05-06T00:00:00Z'), verdict: 'ok', facts: { head: 6 } })
  assert.deepEqual(catalog.predecessor('wiki'), good)
  assert.deepEqual(catalog.archive('good'), good)
})

test('a restore counts from the moment it ended, and only to the application’s own places', () => {
  using catalog = catalogInMemory()
  const restored = { ...run('1'), verb: 'restore', finished_at: '2026-05-03T00:00:05Z' }
  catalog.recordRun({ ...restored, report: { in_place: false } })
  assert.equal(catalog.restoredSince('wiki', '2026-05-03T00:00:00Z'), false)
  catalog.recordRun({ ...restored, report: { in_place: true } })
  assert.equal(catalog.restoredSince('wiki', '2026-05-03T00:00:00Z'), true)
  assert.equal(catalog.restoredSince('wiki', '2026-05-04T00:00:00Z'), false)
  assert.equal(catalog.restoredSince('shop', '2026-05-03T00:00:00Z'), false)
})

test('an acknowledged value is remembered per application', () => {
  using catalog = catalogInMemory()
  const word = { value: 'AA:BB', at: '2026-05-03T00:00:00Z', reason: 'rotated' }
  catalog.acknowledge('wiki', { ...word, reason: 'typo' })
  catalog.acknowledge('wiki', word)
  assert.deepEqual(catalog.acknowledged('wiki'), [word])
  assert.deepEqual(catalog.acknowledged('shop'), [])
})

test('runs are bounded by age and number; restores and the last success of each verb stay', () => {
  const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString().slice(0, 19) + 'Z'
  using catalog = catalogInMemory()
  catalog.recordRun({ ...run('backup-1', day(1)), verb: 'backup' })
  catalog.recordRun({ ...run('drill-1', day(1)), verb: 'drill' })
  catalog.recordRun({ ...run('drill-of-another', day(1)), verb: 'drill', app: 'shop' })
  catalog.recordRun({ ...run('restore-1', day(1)), verb: 'restore' })
  catalog.recordRun({ ...run('backup-2', day(2)), verb: 'backup' })
  catalog.recordRun({ ...run('drill-2', day(2)), verb: 'drill', ok: false })
  catalog.recordRun({ ...run('list', day(120)), verb: 'list' })
  const left = (): string[] => catalog.recentRuns(20).map(({ id }) => id)
  assert.deepEqual(left(), ['list', 'backup-2', 'restore-1', 'drill-of-another', 'drill-1'])
  assert.equal(catalog.lastRun('wiki', { verb: 'drill' })?.id, 'drill-1')
  assert.equal(catalog.lastRun('wiki', { ok: false }), undefined)
  assert.equal(catalog.lastRun('wiki')?.id, 'list')
})

test('an archive that failed its examination is never the newest verified one, also as a copy', () => {
  using catalog = catalogInMemory()
  catalog.recordArchive({ ...archive('good', '2026-05-01T00:00:00Z'), verdict: 'attention' })
  catalog.recordArchive({ ...archive('bad', '2026-05-02T00:00:00Z'), verdict: 'fail' })
  catalog.recordArchive({ ...archive('bad', '2026-05-02T00:00:00Z'), target: 's3' })
  for (const [archive_id, target] of [
    ['good', 'disk'],
    ['bad', 'disk'],
    ['bad', 's3'],
  ] as const)
    catalog.markVerified({ archive_id, target, at })
  assert.equal(catalog.newestVerified('wiki', 'disk')?.archive_id, 'good')
  assert.equal(catalog.newestVerified('wiki', 's3'), undefined)
  assert.deepEqual(
    catalog.archivesAt('wiki', 'disk').map(({ archive_id }) => archive_id),
    ['bad', 'good'],
  )
})

test('the head of an evidence log only goes on, unless the log began anew', () => {
  using catalog = catalogInMemory()
  assert.equal(catalog.evidenceHead('wiki'), undefined)
  const remembered = (seq: number, hash: string) => {
    catalog.rememberEvidence('wiki', { seq, hash }, at)
    return catalog.evidenceHead('wiki')
  }
  assert.deepEqual(remembered(7, 'g'), { seq: 7, hash: 'g' })
  assert.deepEqual(remembered(6, 'f'), { seq: 7, hash: 'g' })
  assert.deepEqual(remembered(2, 'b'), { seq: 2, hash: 'b' })
})
