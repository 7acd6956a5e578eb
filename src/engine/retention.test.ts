import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../profiles/examination.ts'
import type { Retention } from './context.ts'
import type { ArchiveSummary } from './report.ts'
import { decide, keepsSomething } from './retention.ts'
import type { Decision } from './retention.ts'
import type { Subject, Terms } from './retention-terms.ts'

const now = new Date('2026-04-01T00:00:00Z')

function archive(created_at: string, verified = false): ArchiveSummary {
  return {
    name: `app-${created_at}`,
    target: 't',
    id: created_at,
    created_at,
    size: 1,
    verified_at: verified ? created_at : null,
  }
}

/** So many whole days before now, and some seconds. */
function daysAgo(days: number, seconds = 0): string {
  return new Date(now.getTime() - days * 86_400_000 - seconds * 1000).toISOString()
}

/** One archive a day at 02:00, the newest on 2026-03-31. */
const days = Array.from({ length: 100 }, (_, day) =>
  archive(new Date(Date.UTC(2026, 2, 31 - day, 2)).toISOString()),
)

function judge(archives: readonly ArchiveSummary[], policy: Retention, more: Partial<Terms> = {}): Decision {
  const subjects = archives.map((one) => ({ archive: one }))
  return decide(subjects, { policy, now, examined: false, ...more })
}

function keptDays(policy: Retention, archives = days): string[] {
  return judge(archives, policy).kept.map(({ archive: { created_at } }) => created_at.slice(0, 10))
}

const removedOf = ({ removed }: Decision): string[] => removed.map(({ archive: one }) => one.created_at)
const keptOf = ({ kept }: Decision): string[] => kept.map(({ archive: one }) => one.created_at)

test('keep_last keeps the newest archives', () => {
  assert.deepEqual(keptDays({ keep_last: 3 }), ['2026-03-31', '2026-03-30', '2026-03-29'])
})

test('keep_daily keeps the newest of each day, and counts days that have an archive', () => {
  const archives = [
    archive('2026-03-31T12:00:00Z'),
    archive('2026-03-31T02:00:00Z'),
    archive('2026-03-01T02:00:00Z'),
  ]
  const decision = judge(archives, { keep_daily: 2 })
  assert.deepEqual(keptOf(decision), ['2026-03-31T12:00:00Z', '2026-03-01T02:00:00Z'])
  assert.deepEqual(removedOf(decision), ['2026-03-31T02:00:00Z'])
  assert.deepEqual(decision.removed[0]?.reasons, ['no rule keeps it, 0 days old'])
})

test('keep_weekly goes by ISO weeks, also across a year', () => {
  assert.deepEqual(keptDays({ keep_weekly: 3 }), ['2026-03-31', '2026-03-29', '2026-03-22'])
  const turn = [
    archive('2026-01-04T00:00:00Z'),
    archive('2025-12-29T00:00:00Z'),
    archive('2025-12-28T00:00:00Z'),
  ]
  assert.deepEqual(keptDays({ keep_weekly: 2 }, turn), ['2026-01-04', '2025-12-28'])
})

test('keep_monthly and keep_yearly keep the newest of each', () => {
  assert.deepEqual(keptDays({ keep_monthly: 3 }), ['2026-03-31', '2026-02-28', '2026-01-31'])
  assert.deepEqual(keptDays({ keep_yearly: 5 }), ['2026-03-31', '2025-12-31'])
})

test('one archive can be kept for several reasons, and each is named', () => {
  const [first] = judge(days, { keep_last: 1, keep_daily: 1, keep_yearly: 1 }).kept
  assert.deepEqual(first?.reasons, ['last', 'daily', 'yearly'])
})

test('what is 30 days old stays, what is older goes, and only then', () => {
  const ages = [daysAgo(0), daysAgo(29), daysAgo(30), daysAgo(30, 1), daysAgo(31), daysAgo(400)]
  const decision = judge(
    ages.map((age) => archive(age)),
    { keep_within: 30 * 86_400 },
  )
  assert.deepEqual(keptOf(decision), ages.slice(0, 3))
  assert.deepEqual(removedOf(decision), ages.slice(3))
  assert.deepEqual(decision.kept[0]?.reasons, ['not older than 30 days'])
  assert.deepEqual(decision.removed[0]?.reasons, ['older than 30 days'])
})

test('an archive from the future is not old', () => {
  const future = archive('2026-04-02T00:00:00Z')
  assert.deepEqual(keptOf(judge([future, archive(daysAgo(31))], { keep_within: 30 * 86_400 })), [
    future.created_at,
  ])
})

test('the newest verified archives stay: 7 where age decides, 1 where numbers do, or as many as are said', () => {
  const archives = Array.from({ length: 12 }, (_, day) => archive(daysAgo(40 + day), day > 0))
  const kept = (policy: Retention): number => judge(archives, policy).kept.length
  // The newest of all is not verified, and stays as the last good one.
  assert.equal(kept({ keep_within: 30 * 86_400 }), 8)
  assert.equal(kept({ keep_last: 1 }), 2)
  assert.equal(kept({ keep_within: 30 * 86_400, keep_newest_verified: 3 }), 4)
  assert.equal(kept({ keep_within: 30 * 86_400, keep_newest_verified: 0 }), 1)
  const reasons = judge(archives, { keep_within: 30 * 86_400 }).kept.map((one) => one.reasons.join())
  assert.deepEqual(reasons.slice(0, 3), [
    'last good',
    'newest verified',
    'verified, number 2 from the newest',
  ])
})

test('the last one stays, however old, and whatever the rules say', () => {
  for (const policy of [{ keep_last: 0 }, { keep_within: 86_400 }]) {
    const { kept, removed } = judge([archive(daysAgo(99)), archive(daysAgo(100))], policy)
    assert.deepEqual([kept.length, removed.length], [1, 1])
    assert.deepEqual(kept[0]?.reasons, ['last good'])
  }
})

test('a cap takes the oldest of what the rules keep, and nothing that must stay', () => {
  assert.deepEqual(keptDays({ keep_at_most: 2 }), ['2026-03-31', '2026-03-30'])
  assert.deepEqual(keptDays({ keep_within: 50 * 86_400, keep_at_most: 2 }), ['2026-03-31', '2026-03-30'])
  const archives = [...days.slice(0, 5), archive('2025-01-01T00:00:00Z', true)]
  const { kept, removed } = judge(archives, { keep_last: 9, keep_at_most: 3 })
  assert.deepEqual(
    kept.map((one) => one.reasons.join()),
    ['last', 'last', 'last', 'newest verified'],
  )
  assert.deepEqual(removed[0]?.reasons, ['beyond the newest 3'])
})

test('the order in which archives are listed does not matter', () => {
  const policy = { keep_last: 2, keep_monthly: 2 }
  assert.deepEqual(keptDays(policy, days.toReversed()), keptDays(policy))
})

test('a policy keeps something if any of its rules does', () => {
  for (const policy of [{ keep_last: 1 }, { keep_within: 60 }, { keep_at_most: 1 }])
    assert.ok(keepsSomething(policy))
  for (const policy of [{}, { keep_last: 0 }, { keep_newest_verified: 9 }, { after_backup: true }])
    assert.ok(!keepsSomething(policy))
})

/** An archive of an examined application, all of them older than any rule keeps. */
function subject(age: number, verdict?: Verdict, lineage?: string | null, verified = false): Subject {
  return {
    archive: archive(daysAgo(age), verified),
    ...(verdict === undefined ? {} : { verdict }),
    ...(lineage === undefined ? {} : { lineage }),
  }
}

function old(...subjects: Subject[]): Decision {
  const policy = { keep_within: 30 * 86_400 }
  return decide(subjects, { policy, now, examined: true, lineage: 'ca' })
}

function ages(list: readonly { readonly archive: ArchiveSummary }[]): number[] {
  return list.map((one) => Math.round((now.getTime() - Date.parse(one.archive.created_at)) / 86_400_000))
}

test('the last good one is by its verdict: one that failed is never it, nor one of the newest verified', () => {
  const { kept, removed } = old(
    subject(40, 'fail', 'A', true),
    subject(41, 'fail', 'A'),
    subject(42, 'attention', 'A'),
    subject(43, 'ok', 'A'),
  )
  assert.deepEqual(ages(kept), [42])
  assert.deepEqual(kept[0]?.reasons, ['last good', 'last with this ca'])
  assert.deepEqual(ages(removed), [40, 41, 43])
})

test('the last archive of each lineage stays, the best one of it that there is', () => {
  const { kept, removed } = old(
    subject(40, 'ok', 'B'),
    subject(41, 'fail', 'A'),
    subject(42, 'ok', 'A'),
    subject(43, 'ok', 'A'),
    subject(44, 'fail', 'older still'),
    subject(45, 'fail', 'older still'),
    subject(46, 'ok', null),
  )
  assert.deepEqual(ages(kept), [40, 42, 44])
  assert.deepEqual(kept[1]?.reasons, ['last with this ca'])
  assert.deepEqual(ages(removed), [41, 43, 45, 46])
})

test('what is not known counts against removing, and is named as unsure', () => {
  const unknown = old(subject(40, 'ok', 'A'), subject(41), subject(42, 'ok', 'A'))
  assert.deepEqual(ages(unknown.kept), [40, 41])
  assert.match(unknown.kept[1]?.reasons.join() ?? '', /its ca is not known/)
  assert.deepEqual(
    unknown.unsure.map(({ created_at }) => created_at),
    [daysAgo(41)],
  )

  const policy = { keep_within: 30 * 86_400 }
  const blind = decide([subject(40), subject(41), subject(42, 'fail')], { policy, now, examined: true })
  assert.deepEqual(ages(blind.kept), [40, 41])
  assert.match(blind.kept[0]?.reasons.join() ?? '', /not known to be good, and no other is/)
  assert.deepEqual(ages(blind.removed), [42])
})

test('an application that is not examined has no verdicts to wait for', () => {
  const { kept, unsure } = judge([archive(daysAgo(40)), archive(daysAgo(41))], { keep_within: 30 * 86_400 })
  assert.deepEqual([kept.length, unsure.length], [1, 0])
})
