import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breachesOf, breachNames, lasting } from './breaches.ts'
import type { BreachName, Proven } from './breaches.ts'
import { controlLines } from './control-lines.ts'
import { defaultObjectives } from './objectives.ts'
import type { DrillBrief, TargetStanding } from './standing.ts'

const hour = 3600
const day = 24 * hour

const target = (age: number | undefined, more: Partial<TargetStanding> = {}): TargetStanding => {
  const held = {
    name: 'a.sealift',
    id: 'aa',
    created_at: '2026-01-01T00:00:00Z',
    size: 1,
    age: age ?? 0,
    verified_at: null,
  }
  return {
    target: 'far',
    kind: 's3',
    location: 's3://bucket',
    off_host: true,
    archives: 1,
    newest: held,
    newest_verified: age === undefined ? null : held,
    oldest: held.created_at,
    ...more,
  }
}

const drill = (age: number, more: Partial<DrillBrief> = {}): DrillBrief => ({
  seq: 1,
  time: '2026-01-01T00:00:00Z',
  target: 'far',
  archive: 'a.sealift',
  verdict: 'ok',
  seconds: 300,
  age,
  ...more,
})

const sound: Proven = {
  objectives: defaultObjectives,
  targets: [target(3 * hour), target(3 * hour, { target: 'disk', off_host: false })],
  drills: [drill(91 * day)],
  chains: { state: 'ok', as_of: 'a.sealift', findings: [] },
  evidence: [],
}

const cases: readonly (readonly [what: string, change: Partial<Proven>, expected: readonly BreachName[]])[] =
  [
    ['all is well', {}, []],
    ['a backup exactly as old as the RPO', { targets: [target(day)] }, []],
    ['a backup one second older', { targets: [target(day + 1)] }, ['backup-stale']],
    [
      'no archive at all',
      { targets: [target(undefined, { newest: null })] },
      ['backup-stale', 'target-unverified'],
    ],
    ['nothing verified', { targets: [target(undefined)] }, ['backup-stale', 'target-unverified']],
    [
      'one target without a verified copy',
      { targets: [target(1), target(undefined)] },
      ['target-unverified'],
    ],
    ['one target whose copy is old', { targets: [target(1), target(2 * day)] }, ['copy-stale']],
    ['all on the same disk', { targets: [target(1, { off_host: false })] }, ['no-off-host-copy']],
    ['no drill ever', { drills: [] }, ['drill-missing']],
    ['a drill 92 days ago', { drills: [drill(92 * day)] }, []],
    ['a drill one second longer ago', { drills: [drill(92 * day + 1)] }, ['drill-old']],
    ['a drill of 900 seconds', { drills: [drill(1, { seconds: 900 })] }, []],
    ['a drill that took longer', { drills: [drill(1, { seconds: 900.1 })] }, ['drill-slow']],
    ['a drill that wanted a look', { drills: [drill(1, { verdict: 'attention' })] }, []],
    [
      'only a drill that failed',
      { drills: [drill(1, { verdict: 'fail' })] },
      ['drill-missing', 'drill-failed'],
    ],
    [
      'the last drill of one target failed',
      { drills: [drill(1, { target: 'disk', verdict: 'fail' }), drill(2)] },
      ['drill-failed'],
    ],
    [
      'a failure of long ago',
      { drills: [drill(1), drill(93 * day, { target: 'disk', verdict: 'fail' })] },
      [],
    ],
    [
      'a broken chain',
      { chains: { state: 'broken', as_of: 'a', findings: ['audit-chain: row 7'] } },
      ['chain-broken'],
    ],
    ['chains that nobody looked at', { chains: { state: 'unknown', as_of: null, findings: [] } }, []],
    ['a broken log', { evidence: [{ seq: 3, problem: 'it is missing' }] }, ['evidence-broken']],
  ]

for (const [what, change, expected] of cases) {
  test(`${what}: ${expected.length === 0 ? 'no breach' : expected.join(', ')}`, () => {
    const found = breachesOf({ ...sound, ...change })
    assert.deepEqual(
      found.map(({ breach }) => breach),
      expected,
    )
    for (const { detail, fix } of found) assert.ok(detail.length > 10 && fix.length > 10)
  })
}

test('every breach has a case, and all of them come at once', () => {
  const seen = new Set(cases.flatMap(([, , expected]) => expected))
  assert.deepEqual([...seen].toSorted(), [...breachNames].toSorted())
})

test('a broken log is named with the record that it breaks at', () => {
  const [breach] = breachesOf({ ...sound, evidence: [{ seq: 3, problem: 'it is missing' }] })
  assert.match(breach?.detail ?? '', /^record 3 of the evidence log: it is missing$/)
})

test('a control is as good as the weakest thing that it rests on', () => {
  const controls = [
    { control: 'A', asks: 'a', rests_on: ['backups', 'drills'] as const },
    { control: 'B', asks: 'b', rests_on: ['backups', 'off-host'] as const },
    { control: 'C', asks: 'c', rests_on: ['chains', 'drift'] as const },
  ]
  const change = {
    ...sound,
    drills: [drill(93 * day)],
    chains: { state: 'unknown', as_of: null, findings: [] } as const,
  }
  const breaches = breachesOf(change)
  const lines = controlLines(controls, { ...change, breaches, records: [], retention: '' })
  assert.deepEqual(
    lines.map(({ state }) => state),
    ['breach', 'ok', 'breach'],
  )
  assert.deepEqual(
    lines[2]?.rests_on.map(({ state }) => state),
    ['unknown', 'breach'],
  )
  assert.match(lines[0]?.rests_on[1]?.says ?? '', /^the last drill that passed was 93 d ago, over 92 d$/)
  assert.match(lines[1]?.rests_on[1]?.says ?? '', /^verified copies off this host: far 3 h old$/)
})

test('durations say enough', () => {
  assert.deepEqual([0.4, 119, 120, 900, 86_400, 7_948_800].map(lasting), [
    '0.4 s',
    '119 s',
    '2 min',
    '15 min',
    '24 h',
    '92 d',
  ])
})
