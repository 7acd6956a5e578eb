import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { gpgTarGz } from '../formats/gpg-tar-gz.ts'
import type { Facts } from '../manifest.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Target } from '../targets/target.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { faultyTarget } from '../../test/support/faulty-target.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import type { MemoryTarget } from '../../test/support/memory-target.ts'
import { beginSealing, manifestOf, SECRET } from '../../test/support/sealed.ts'
import { listed, put } from '../../test/support/stored.ts'
import type { Application, Context, Retention } from './context.ts'
import { prune } from './prune.ts'
import type { PruneInput } from './prune.ts'
import { compactTime } from './time.ts'

const now = new Date('2026-06-01T00:00:00Z')
const month = { keep_within: 30 * 86_400, keep_newest_verified: 0 }
const generic: Profile = { name: 'generic', title: 'anything' }

async function context(t: TestContext, more: Partial<Context> = {}): Promise<Context> {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-prune-'))
  t.after(() => rm(folder, { recursive: true }))
  return engineContext(folder, { now: () => now, profiles: { generic }, formats: [gpgTarGz], ...more })
}

function application(targets: readonly Target[], profile = generic): Application {
  return { app: 'vault', profile, sources: [], targets, compression: 'none', retention: undefined }
}

/** Puts an archive of so many days ago under the application's name; its file is of today. */
async function stored(target: Target, days: number, facts?: Facts): Promise<string> {
  const at = new Date(now.getTime() - days * 86_400_000)
  const { sealer, out } = await beginSealing({ createdAt: at })
  const source = {
    name: 'db',
    kind: 'sqlite',
    snapshot_at: at.toISOString(),
    versions: {},
    facts: facts ?? {},
    members: 0,
    bytes: 0,
  }
  await sealer.finish({ ...manifestOf(sealer.id), sources: facts === undefined ? [] : [source] })
  const name = `vault-${compactTime(at)}.sealift`
  await put(target, name, out.bytes)
  return name
}

async function run(
  ctx: Context,
  targets: readonly Target[],
  more: Partial<PruneInput> = {},
  retention: Retention = month,
) {
  return await prune(ctx, { application: application(targets), retention, ...more })
}

test('by the archive’s own time: what is over 30 days goes, and no file of another name', async (t) => {
  const disk = memoryTarget('disk')
  const names = [await stored(disk, 1), await stored(disk, 30), await stored(disk, 31)]
  const others = ['vault-old.sealift', 'other-20200101T000000Z.sealift', 'vault-20200101T000000Z.tar.gz.gpg']
  for (const name of others) await put(disk, name, Buffer.from('not ours'))
  const damaged = 'vault-20200101T000000Z.sealift'
  await put(disk, damaged, Buffer.from('not an archive'))
  const { ok, result, warnings } = await run(await context(t), [disk])
  assert.ok(ok)
  assert.deepEqual(await listed(disk), [...names.slice(0, 2), ...others, damaged].toSorted())
  assert.deepEqual(
    result?.removed.map(({ archive, reasons }) => [archive.name, reasons]),
    [[names[2], ['older than 30 days']]],
  )
  assert.match(warnings[0]?.message ?? '', /vault-20200101T000000Z\.sealift is left alone/)
})

test('archives of other programs go by the time in their names, if these are the application’s own', async (t) => {
  const disk = memoryTarget('disk')
  const name = (days: number): string =>
    `vault-backup-${compactTime(new Date(now.getTime() - days * 86_400_000))}.tar.gz.gpg`
  for (const days of [30, 31, 60]) await put(disk, name(days), Buffer.from('8c0d0409030a', 'hex'))
  await put(disk, `x${name(60)}`, Buffer.from('8c0d0409030a', 'hex'))
  const unused = (): never => assert.fail('retention only reads names')
  const named = (file: string) => {
    const [, day] = /^vault-backup-(\d{8})T000000Z\.tar\.gz\.gpg$/.exec(file) ?? []
    if (day === undefined) return undefined
    return { takenAt: new Date(`${day.replace(/(....)(..)(..)/, '$1-$2-$3')}T00:00:00Z`) }
  }
  const foreign = { format: 'gpg', named, read: unused, layouts: {}, usualLayout: unused }
  const vault = application([disk], { ...generic, foreign })
  await prune(await context(t), { application: vault, retention: month })
  assert.deepEqual(await listed(disk), [name(30), `x${name(60)}`].toSorted())
})

test('a dry run says what would go, with its reason, and removes nothing', async (t) => {
  const disk = memoryTarget('disk')
  for (const days of [1, 40, 50]) await stored(disk, days)
  const before = await listed(disk)
  const { result } = await run(await context(t), [disk], { dryRun: true })
  assert.equal(result?.removed.length, 2)
  assert.deepEqual(result.removed[1]?.reasons, ['older than 30 days'])
  assert.deepEqual(await listed(disk), before)
})

test('each target is judged by itself, and what is gone is forgotten', async (t) => {
  const ctx = await context(t)
  const [near, far] = [memoryTarget('near'), memoryTarget('far')]
  const name = await stored(near, 40)
  await stored(near, 1)
  await put(far, name, near.objects.get(name)?.bytes ?? Buffer.alloc(0))
  const { result: before } = await run(ctx, [near, far], { dryRun: true })
  const id = before?.removed[0]?.archive.id ?? ''
  for (const target of ['near', 'far']) {
    const record = { archive_id: id, app: 'vault', target, name, size: 1 }
    ctx.catalog.recordArchive({
      ...record,
      created_at: '2026-04-22T00:00:00Z',
      written_at: '2026-04-22T00:00:00Z',
    })
    ctx.catalog.markVerified({ archive_id: id, target, at: now })
  }
  const { result } = await run(ctx, [near, far])
  assert.deepEqual(
    result?.removed.map(({ archive }) => archive.target),
    ['near'],
  )
  // At the other target it is the last one.
  assert.deepEqual(await listed(far), [name])
  assert.equal(ctx.catalog.verified(id, 'near'), undefined)
  assert.notEqual(ctx.catalog.verified(id, 'far'), undefined)
})

test('a target that is down, and an archive that is locked, keep nothing else from being done', async (t) => {
  const [locked, near] = [memoryTarget('locked'), memoryTarget('near')]
  for (const days of [1, 40, 50]) for (const target of [locked, near]) await stored(target, days)
  const down = faultyTarget(memoryTarget('down'), [{ on: 'sweep', code: 'EHOSTUNREACH' }])
  const stuck = faultyTarget(locked, [{ on: 'remove', nth: 1, code: 'EPERM' }])
  const { ok, error, result } = await run(await context(t), [down, stuck, near])
  assert.equal(ok, false)
  assert.equal(error?.code, 'TARGET_UNAVAILABLE')
  assert.deepEqual(
    result?.failed.map(({ target, name }) => [target, name === undefined]),
    [
      ['down', true],
      ['locked', false],
    ],
  )
  assert.deepEqual([locked.objects.size, near.objects.size], [2, 1])
})

const examining: Profile = {
  ...generic,
  lineage: 'ca',
  examine: () => assert.fail('retention examines nothing'),
}

async function lineages(): Promise<{ disk: MemoryTarget; names: string[] }> {
  const disk = memoryTarget('disk')
  const names = [
    await stored(disk, 40, { ca: 'B', verdict: 'ok' }),
    await stored(disk, 50, { ca: 'A', verdict: 'fail' }),
    await stored(disk, 60, { ca: 'A', verdict: 'attention' }),
    await stored(disk, 70, { ca: 'A', verdict: 'ok' }),
  ]
  return { disk, names }
}

test('what the catalogue does not know is read from the archives, with a key, and remembered', async (t) => {
  const { disk, names } = await lineages()
  const ctx = await context(t)
  const input = { application: application([disk], examining), retention: month }
  const blind = await prune(ctx, input)
  assert.equal(blind.result?.removed.length, 0)
  assert.match(blind.result.kept[0]?.reasons.join() ?? '', /not known/)

  const seeing = await prune(ctx, { ...input, dryRun: true, keys: () => Promise.resolve([SECRET]) })
  assert.deepEqual(
    seeing.result?.kept.map(({ archive, reasons }) => [archive.name, reasons.join()]),
    [
      [names[0], 'last good,last with this ca'],
      [names[2], 'last with this ca'],
    ],
  )
  // Once learnt, no key is needed.
  const { result } = await prune(ctx, input)
  assert.deepEqual(
    result?.removed.map(({ archive }) => archive.name),
    [names[1], names[3]],
  )
  assert.deepEqual(await listed(disk), [names[2], names[0]])
})

test('a key that opens nothing leaves all in place', async (t) => {
  const { disk, names } = await lineages()
  const input = { application: application([disk], examining), retention: month }
  const { ok, result } = await prune(await context(t), { ...input, keys: () => Promise.resolve([]) })
  assert.ok(ok)
  assert.deepEqual([result?.kept.length, result?.removed.length], [names.length, 0])
})

test('a policy that keeps nothing is refused', async (t) => {
  const { error } = await run(await context(t), [memoryTarget('disk')], {}, { keep_newest_verified: 3 })
  assert.equal(error?.code, 'USAGE')
})
