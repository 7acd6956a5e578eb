import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Secret } from '../../src/secret.ts'
import type { Profile } from '../../src/profiles/profile.ts'
import type { Verdict } from '../../src/profiles/examination.ts'
import type { Target } from '../../src/targets/target.ts'
import { engineContext } from '../support/engine-context.ts'
import { faultyTarget } from '../support/faulty-target.ts'
import type { Fault } from '../support/faulty-target.ts'
import { memorySource } from '../support/memory-source.ts'
import { memoryTarget } from '../support/memory-target.ts'
import { RECIPIENT } from '../support/sealed.ts'
import { listed, put } from '../support/stored.ts'
import { backup } from '../../src/engine/backup.ts'
import type { BackupInput } from '../../src/engine/backup.ts'
import type { Application, Context, Retention, SlotKey } from '../../src/engine/context.ts'
import { compactTime } from '../../src/engine/time.ts'

const now = new Date('2026-06-01T00:00:00Z')
const passphrase: SlotKey = { type: 'passphrase', passphrase: new Secret('six random words make one') }

async function context(t: TestContext): Promise<Context> {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-deliver-'))
  t.after(() => rm(folder, { recursive: true }))
  return engineContext(folder, { now: () => now })
}

interface Given {
  readonly targets: readonly Target[]
  readonly retention?: Retention
  readonly verdict?: Verdict
  readonly slots?: readonly SlotKey[]
}

function run(
  ctx: Context,
  { targets, retention, verdict, slots = [RECIPIENT] }: Given,
  more?: Partial<BackupInput>,
) {
  const source = memorySource('files', { members: [{ path: 'a.txt', content: 'a'.repeat(100_000) }] })
  const finding = { check: 'looked', class: verdict === 'fail' ? 'fail' : 'note', detail: 'at it' } as const
  const profile: Profile = {
    name: 'generic',
    title: 'anything',
    ...(verdict && {
      examine: () => Promise.resolve({ source: 'files', facts: {}, findings: [finding] }),
    }),
  }
  const application: Application = {
    app: 'vault',
    profile,
    sources: [source],
    targets,
    compression: 'none',
    retention,
  }
  return backup(ctx, { application, slots: () => Promise.resolve(slots), ...more })
}

const failing = (name: string, ...faults: Fault[]) => {
  const inner = memoryTarget(name)
  return { inner, target: faultyTarget(inner, faults) }
}

for (const [what, faults] of [
  ['is down', [{ on: 'sweep', code: 'EHOSTUNREACH' }]],
  ['refuses a new archive', [{ on: 'create', code: 'EACCES' }]],
  ['breaks while it is written', [{ on: 'write', nth: 1, afterBytes: 10_000, code: 'EIO' }]],
  ['fails at the last step', [{ on: 'commit', code: 'ENOSPC' }]],
] as const) {
  test(`when the first target ${what}, the next one gets the archive, and the others their copies`, async (t) => {
    const { inner, target } = failing('first', ...faults)
    const [second, third] = [memoryTarget('second'), memoryTarget('third')]
    const { ok, error, result, warnings } = await run(await context(t), { targets: [target, second, third] })
    assert.equal(ok, false)
    assert.equal(error?.code, 'TARGET_UNAVAILABLE')
    assert.equal(result?.archive.target, 'second')
    assert.deepEqual(
      result.copies.map((copy) => [copy.target, copy.ok, copy.state ?? copy.error?.code]),
      [
        ['first', false, 'TARGET_UNAVAILABLE'],
        ['third', true, 'compared'],
      ],
    )
    assert.match(warnings.map(({ message }) => message).join(), /first did not take the archive/)
    assert.deepEqual(await listed(inner), [])
    assert.deepEqual(await listed(second), [result.archive.name])
    assert.deepEqual(await listed(third), [result.archive.name])
  })
}

test('when no target serves there is no archive, and the first one’s error', async (t) => {
  const first = failing('first', { on: 'sweep', code: 'EHOSTUNREACH' })
  const second = failing('second', { on: 'create', code: 'EACCES' })
  const { ok, error, result } = await run(await context(t), { targets: [first.target, second.target] })
  assert.deepEqual([ok, result], [false, undefined])
  assert.match(error?.message ?? '', /target first/)
})

test('a failure of anything but a target is not tried again elsewhere', async (t) => {
  const [first, second] = [memoryTarget('first'), memoryTarget('second')]
  const examine = () => Promise.reject(new Error('the source is broken'))
  const profile: Profile = { name: 'generic', title: 'anything', examine }
  const source = memorySource('files', { members: [] })
  const rest = { compression: 'none', retention: undefined } as const
  const application: Application = {
    app: 'vault',
    profile,
    sources: [source],
    targets: [first, second],
    ...rest,
  }
  const slots = () => Promise.resolve([passphrase])
  const { error, warnings } = await backup(await context(t), { application, slots })
  assert.equal(error?.code, 'BUG')
  assert.deepEqual(warnings, [])
})

test('a copy of verified bytes is verified, at each target by itself', async (t) => {
  const ctx = await context(t)
  const [first, second] = [memoryTarget('first'), memoryTarget('second')]
  const { result } = await run(ctx, { targets: [first, second], slots: [passphrase] }, { verify: true })
  assert.deepEqual(result?.copies, [{ target: 'second', ok: true, state: 'verified' }])
  for (const { name } of [first, second])
    assert.notEqual(ctx.catalog.verified(result.archive.id, name), undefined)
})

test('what reads back damaged is removed: at the first target the next one serves, a copy fails by itself', async (t) => {
  // The verification reads the first archive that is opened there; byte 40,000 lies in the payload.
  const { inner, target } = failing('first', { on: 'bytes', nth: 1, flipAt: 40_000 })
  const second = memoryTarget('second')
  const late = failing('late', { on: 'bytes', nth: 1, flipAt: 40_000 })
  const ctx = await context(t)
  const { ok, result } = await run(
    ctx,
    { targets: [target, second, late.target], slots: [passphrase] },
    { verify: true },
  )
  assert.equal(ok, false)
  assert.deepEqual([result?.archive.target, result?.state], ['second', 'verified'])
  assert.match(result?.copies[0]?.error?.message ?? '', /not what was written .*; it was removed/)
  assert.match(result?.copies[1]?.error?.message ?? '', /not what was sent; it was removed/)
  for (const one of [inner, late.inner]) assert.deepEqual(await listed(one), [])
})

/** Two archives of 40 and 50 days ago at each target. */
async function withOld(...targets: Target[]): Promise<string[]> {
  const names: string[] = []
  for (const days of [40, 50]) {
    const at = new Date(now.getTime() - days * 86_400_000)
    const name = `vault-${compactTime(at)}.sealift`
    const made = memoryTarget('made')
    const ctx = engineContext(await mkdtemp(join(tmpdir(), 'sealift-old-')), { now: () => at })
    await run(ctx, { targets: [made] })
    await rm(ctx.stateDir, { recursive: true })
    for (const target of targets) await put(target, name, made.objects.get(name)?.bytes ?? Buffer.alloc(0))
    names.push(name)
  }
  return names
}

const month: Retention = { keep_within: 30 * 86_400, keep_newest_verified: 1 }

test('retention ends a good backup, at the targets that have it, and each says what it removed', async (t) => {
  const [first, third] = [memoryTarget('first'), memoryTarget('third')]
  const inner = memoryTarget('second')
  const old = await withOld(first, inner, third)
  const second = faultyTarget(inner, [{ on: 'create', code: 'EACCES' }])
  const ctx = await context(t)
  const { result } = await run(
    ctx,
    { targets: [first, second, third], retention: month, slots: [passphrase] },
    { prune: true },
  )
  assert.equal(result?.state, 'verified')
  assert.deepEqual(
    result.pruned?.removed.map(({ archive }) => `${archive.target} ${archive.name}`),
    ['first', 'third'].flatMap((target) => old.map((name) => `${target} ${name}`)),
  )
  assert.deepEqual(await listed(first), [result.archive.name])
  assert.deepEqual(
    await listed(inner),
    old.toSorted((a, b) => (a < b ? -1 : 1)),
  )
})

test('after a backup that failed, or is not good, or was not asked to, nothing is removed', async (t) => {
  const kept = async (given: Partial<Given>, more?: Partial<BackupInput>, faults: readonly Fault[] = []) => {
    const inner = memoryTarget('disk')
    const old = await withOld(inner)
    const targets = [faultyTarget(inner, faults)]
    const { result, warnings } = await run(
      await context(t),
      { retention: month, targets, slots: [passphrase], ...given },
      more,
    )
    const names = await listed(inner)
    assert.ok(old.every((name) => names.includes(name)))
    assert.equal(result?.pruned, undefined)
    return warnings.map(({ code }) => code)
  }
  await kept({}, { prune: true }, [{ on: 'commit', code: 'EIO' }])
  await kept({}, { prune: true }, [{ on: 'bytes', nth: 1, flipAt: 40_000 }])
  assert.ok((await kept({ verdict: 'fail' }, { prune: true })).includes('retention-skipped'))
  await kept({})
  // Sealed for a recipient alone it cannot be read back here, and what is not verified proves nothing.
  const after = { ...month, after_backup: true }
  assert.deepEqual(await kept({ retention: after, slots: [RECIPIENT] }), ['retention-skipped'])
})

test('retention after every backup is a word of the configuration', async (t) => {
  const disk = memoryTarget('disk')
  await withOld(disk)
  const given = { targets: [disk], retention: { ...month, after_backup: true }, slots: [passphrase] }
  const { result } = await run(await context(t), given)
  assert.deepEqual([result?.state, result?.pruned?.removed.length], ['verified', 2])
})

test('to ask for retention where it cannot run is refused before anything is written', async (t) => {
  const disk = memoryTarget('disk')
  for (const given of [{ slots: [RECIPIENT], retention: month }, { retention: { keep_last: 0 } }, {}]) {
    const { error } = await run(
      await context(t),
      { targets: [disk], slots: [passphrase], ...given },
      { prune: true },
    )
    assert.equal(error?.code, 'USAGE')
  }
  assert.deepEqual(await listed(disk), [])
})
