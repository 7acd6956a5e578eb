import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inLanes } from '../support/journey-lanes.ts'
import { journalsOf, Tally } from '../support/journey-phase.ts'
import { program, sealift, sealiftUntil, signalGroup, start } from '../support/journey-program.ts'
import { plaintextIn, residueOf, wholeArchives } from '../support/journey-residue.ts'
import { makeTemplate } from '../support/journey-world.ts'
import type { Template, World } from '../support/journey-world.ts'

suite('a run that is stopped, or is not alone', () => {
  let template: Template
  let archive: string

  before(async () => {
    template = await makeTemplate()
    archive = (await wholeArchives(template))[0] ?? ''
  })
  after(() => template[Symbol.dispose]())

  for (const verb of ['backup', 'restore'] as const) {
    test(`${verb}: Ctrl-C and SIGTERM leave nothing behind`, async (t) => {
      const args = verb === 'backup' ? ['backup'] : ['restore', archive, '--force', '--key-file', 'key']
      using tried = template.copy()
      const { ms } = await sealift(tried, args)
      const ends = new Tally()
      const stops = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1].flatMap((share) =>
        (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ signal, after: share * ms })),
      )
      await inLanes(stops, async ({ signal, after }) => {
        using world = template.copy()
        const outcome = await sealiftUntil(world, args, after, signal)
        const end = outcome.signal ?? String(outcome.code)
        ends.add(end)
        // A signal that comes before the program has begun ends it as any other program.
        assert.ok(
          ['0', signal === 'SIGINT' ? '130' : '143', signal].includes(end),
          `${end}: ${outcome.stderr}`,
        )
        if (end === '130' || end === '143') assert.match(outcome.stderr, /nothing was left behind/)
        assertAsBefore(world, verb === 'restore' && end === '0')
        assert.equal((await wholeArchives(world)).length, verb === 'backup' && end === '0' ? 2 : 1)
      })
      t.diagnostic(`${verb}, undisturbed ${ms.toFixed(0)} ms, ended with: ${ends.text}`)
      assert.ok(ends.count('130') + ends.count('143') > 0)
    })
  }

  function assertAsBefore(world: World, restored: boolean): void {
    assert.deepEqual(world.state(), restored ? template.new : template.old)
    assert.deepEqual([residueOf(world), plaintextIn(world)], [[], []])
    const dated = readdirSync(world.folder).filter((name) => name.startsWith('pre-restore-'))
    assert.equal(dated.length, restored ? 1 : 0)
  }

  /** A restore that stands still with its journal, so that it holds the lock; one that was too quick is tried again. */
  async function standing(args: readonly string[]) {
    for (let attempt = 1; attempt <= 20; attempt++) {
      const world = template.copy()
      const first = start(world, [program, ...args])
      while (journalsOf(world).length === 0 && first.child.exitCode === null) await sleep(1)
      signalGroup(first.child, 'SIGSTOP')
      if (journalsOf(world).length === 1) return { world, first }
      signalGroup(first.child, 'SIGCONT')
      await first.ended
      world[Symbol.dispose]()
    }
    throw new Error('no restore was met while it had its journal')
  }

  test('of two restores at once the second is refused at once, and names the first', async () => {
    const args = ['restore', archive, '--force', '--key-file', 'key']
    const { world, first } = await standing(args)
    using _world = world
    try {
      for (const verb of [args, ['backup'], ['prune']]) {
        const { code, stderr } = await sealift(world, verb)
        assert.equal(code, 73)
        assert.ok(stderr.includes(`restore, process ${first.child.pid} on `), stderr)
      }
    } finally {
      signalGroup(first.child, 'SIGCONT')
    }
    const { code, stderr } = await first.ended
    assert.equal(code, 0, stderr)
    assertAsBefore(world, true)
  })
})
