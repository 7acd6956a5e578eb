import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArchiveSummary } from './report.ts'
import { decide } from './retention.ts'

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

/** One archive a day at 02:00, the newest on 2026-03-31. */
const days = Array.from({ length: 100 }, (_, day) =>
  archive(new Date(Date.UTC(2026, 2, 31 - day, 2)).toISOString()),
)

function keptDays(policy: Parameters<typeof decide>[1], archives = days): string[] {
  return decide(archives, policy).kept.map(({ archive: { created_at } }) => created_at.slice(0, 10))
}

test('keep_last keeps the newest archives', () => {
  assert.deepEqual(keptDays({ keep_last: 3 }), ['2026-03-31', '2026-03-30', '2026-03-29'])
})

test('keep_daily keeps the newest of each day, and counts days that have an archive', () => {
  const archives = [
    archive('2026-03-31T12:00:00Z'),
    archive('2026-03-31T02:00:00Z'),
    archive('2026-03-01T02:00:00Z'),
  ]
  const { kept, removed } = decide(archives, { keep_daily: 2 })
  assert.deepEqual(
    kept.map((k) => k.archive.created_at),
    ['2026-03-31T12:00:00Z', '2026-03-01T02:00:00Z'],
  )
  assert.deepEqual(
    removed.map((r) => r.created_at),
    ['2026-03-31T02:00:00Z'],
  )
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
  const [first] = decide(days, { keep_last: 1, keep_daily: 1, keep_yearly: 1 }).kept
  assert.deepEqual(first?.reasons, ['last', 'daily', 'yearly'])
})

test('the newest verified archive stays, whatever the rules say', () => {
  const archives = [
    archive('2026-03-03T00:00:00Z'),
    archive('2026-03-02T00:00:00Z', true),
    archive('2026-03-01T00:00:00Z', true),
  ]
  const { kept, removed } = decide(archives, { keep_last: 1 })
  assert.deepEqual(kept[1]?.reasons, ['newest verified'])
  assert.deepEqual(
    removed.map((r) => r.created_at),
    ['2026-03-01T00:00:00Z'],
  )
})

test('a policy that keeps nothing keeps the newest verified one only', () => {
  assert.deepEqual(keptDays({ keep_last: 0 }), [])
})

test('the order in which archives are listed does not matter', () => {
  assert.deepEqual(
    keptDays({ keep_last: 2, keep_monthly: 2 }, days.toReversed()),
    keptDays({ keep_last: 2, keep_monthly: 2 }),
  )
})
