import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { generateKeypair } from '../archive/index.ts'
import { catalogInMemory } from '../catalog/catalog.ts'
import type { Examined, ProfileFinding } from '../profiles/examination.ts'
import type { Profile } from '../profiles/profile.ts'
import { files } from '../sources/files.ts'
import { sqlite } from '../sources/sqlite.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { makeDatabase } from '../../test/support/sqlite-database.ts'
import { backup } from './backup.ts'
import type { BackupInput } from './backup.ts'
import { restore } from './restore.ts'
import { verify } from './verify.ts'
import { show } from './show.ts'

const key = generateKeypair()
const catalog = catalogInMemory()
let root: string
let seen: Examined[]
beforeEach(async () => {
  seen = []
  root = await mkdtemp(path.join(tmpdir(), 'sealift-examine-'))
  await mkdir(path.join(root, 'app'))
  makeDatabase(path.join(root, 'app.db'), 10)
  await writeFile(path.join(root, 'app/env'), 'LICENSE=abc\nPORT=1\n')
  await writeFile(path.join(root, 'app/other'), 'LICENSE=abc\n')
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

/** A profile that reads the copy, redacts one file, and finds what it is told to find. */
function profileThatFinds(findings: readonly ProfileFinding[]): Profile {
  return {
    name: 'generic',
    title: 'an application',
    examine(examined) {
      seen.push(examined)
      using db = new DatabaseSync(examined.places.get('db') ?? '', { readOnly: true })
      const rows = db.prepare('SELECT count(*) AS n FROM entry').get()?.['n']
      return Promise.resolve({ source: 'db', facts: { rows: Number(rows) }, findings })
    },
    rewrite: (source, file) =>
      source === 'app' && file === 'env'
        ? (content) => Buffer.from(content.toString().replace('abc', 'REDACTED-AND-LONGER'))
        : undefined,
  }
}

async function back(findings: readonly ProfileFinding[], more: Partial<BackupInput> = {}) {
  const target = memoryTarget()
  const application = {
    app: 'notes',
    profile: profileThatFinds(findings),
    sources: [
      sqlite.open('db', { path: path.join(root, 'app.db') }),
      files.open('app', { path: path.join(root, 'app') }),
    ],
    targets: [target],
    compression: 'zstd' as const,
    retention: undefined,
  }
  const profiles = { generic: application.profile }
  const ctx = engineContext(path.join(root, 'state'), { catalog, profiles, sourceDrivers: { sqlite, files } })
  const slots = () => Promise.resolve([{ type: 'recipient' as const, recipient: key.recipient }])
  const report = await backup(ctx, { application, slots, ...more })
  const keys = () => Promise.resolve([{ type: 'secret' as const, secret: key.secret }])
  return { target, application, report, ctx, keys }
}

/** A restore counts what it wrote against the manifest: what was sealed, not what the source gave. */
async function assertRestores({ application, ctx, keys }: Awaited<ReturnType<typeof back>>): Promise<void> {
  const to = path.join(root, 'out')
  const { ok, error } = await restore(ctx, { archive: 'latest', application, keys, to })
  assert.ok(ok, JSON.stringify(error))
}

const found = (weight: ProfileFinding['class']): ProfileFinding => ({
  check: `word-${weight}`,
  class: weight,
  detail: 'a sentence',
})

test('the profile reads a copy of the database that is gone before the seal, and its facts are in the manifest', async () => {
  const { report, application, ctx, keys } = await back([found('note')])
  assert.ok(report.ok, JSON.stringify(report.error))
  assert.equal(report.result?.verdict, 'ok')
  const [examined] = seen
  assert.ok(examined !== undefined && examined.stage === 'backup' && examined.redacted)
  const copy = examined.places.get('db') ?? ''
  assert.notEqual(copy, path.join(root, 'app.db'))
  assert.equal(examined.live?.get('db'), path.join(root, 'app.db'))
  assert.equal(existsSync(copy), false)
  assert.deepEqual(await readdir(path.join(root, 'state/scratch')), [])
  const shown = await show(ctx, { archive: 'latest', application, keys })
  const facts = shown.result?.manifest.sources.find(({ name }) => name === 'db')?.facts
  assert.equal(facts?.['rows'], 10)
  assert.equal(facts['verdict'], 'ok')
  assert.deepEqual(facts['findings'], [{ check: 'word-note', class: 'note', detail: 'a sentence' }])
})

test('a hard finding writes no archive', async () => {
  const { report, target } = await back([found('hard')])
  assert.equal(report.error?.code, 'SNAPSHOT_REFUSED')
  assert.match(report.error.message, /word-hard: a sentence/)
  assert.deepEqual(await Array.fromAsync(target.list()), [])
})

test('a failed check writes an archive that does not count as good, nor as the predecessor', async () => {
  const good = await back([found('attention')])
  assert.ok(good.report.ok)
  assert.equal(good.report.result?.verdict, 'attention')
  assert.deepEqual(
    good.report.warnings.map(({ code }) => code),
    ['word-attention'],
  )
  const bad = await back([found('fail')])
  assert.equal(bad.report.error?.code, 'BACKUP_NOT_GOOD')
  assert.equal(bad.report.result?.verdict, 'fail')
  assert.equal((await Array.fromAsync(bad.target.list())).length, 1)
  assert.equal(catalog.predecessor('notes')?.archive_id, good.report.result.archive.id)
  await back([])
  assert.equal(seen.at(-1)?.predecessor?.facts['verdict'], 'attention')
  assert.equal(seen.at(-1)?.predecessor?.restoredSince, false)
})

test('a file is rewritten on its way in, unless the operator says no, and the live source still matches', async () => {
  const rewritten = await back([])
  const { application, ctx, keys } = rewritten
  const checked = await verify(ctx, { archive: 'latest', application, keys, source: true })
  assert.ok(checked.ok, JSON.stringify(checked.error))
  assert.deepEqual(checked.result?.live?.map(({ path: at, state }) => `${at} ${state}`).toSorted(), [
    'app/other same',
    'db/app.db same',
  ])
  const bytes = rewritten.report.result?.sources.find(({ name }) => name === 'app')?.bytes
  const kept = await back([], { unredacted: true })
  const before = kept.report.result?.sources.find(({ name }) => name === 'app')?.bytes
  assert.equal((bytes ?? 0) - (before ?? 0), 'REDACTED-AND-LONGER'.length - 'abc'.length)
  assert.equal(seen.at(-1)?.redacted, false)
  await assertRestores(rewritten)
})
