import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { inLanes, numberFrom, seeded } from '../support/journey-lanes.ts'
import { journalsOf, phaseOfBackup, phaseOfRestore, Tally } from '../support/journey-phase.ts'
import type { Phase } from '../support/journey-phase.ts'
import { sealift, sealiftUntil } from '../support/journey-program.ts'
import { plaintextIn, residueOf, wholeArchives } from '../support/journey-residue.ts'
import { assertOneOf, stateOf } from '../support/journey-state.ts'
import { killAtCall, requireStrace } from '../support/journey-strace.ts'
import type { Call } from '../support/journey-strace.ts'
import { copyOf, makeTemplate, okay, places } from '../support/journey-world.ts'
import type { Template, World } from '../support/journey-world.ts'

/**
 * The program is killed, SIGKILL, at moments drawn from a seed and at every step that changes a name or makes something
 * durable; then it is started once more. `SEALIFT_CRASH_SEED` (1) draws others, `SEALIFT_CRASH_MOMENTS` (200) says
 * how many are drawn.
 */
const seed = numberFrom('SEALIFT_CRASH_SEED', 1)
const moments = numberFrom('SEALIFT_CRASH_MOMENTS', 200)
const random = seeded(seed)
const pruning = ['prune', '--keep-last', '9']
const changing: readonly Call[] = ['rename', 'link', 'symlink', 'unlink', 'rmdir', 'mkdir', 'fsync']

suite(`killed at ${moments} moments of seed ${seed}, and at every step`, () => {
  let template: Template
  let archive: string
  const tally = { backup: new Tally(), restore: new Tally() }

  before(async () => {
    requireStrace()
    template = await makeTemplate()
    archive = (await wholeArchives(template))[0] ?? ''
  })
  after(() => template[Symbol.dispose]())

  const restoring = (): string[] => ['restore', archive, '--force', '--key-file', 'key']

  /** What must hold after a kill, before and after the next start; the verbs of that start take turns. */
  async function examine(world: World, verb: 'backup' | 'restore', where: string): Promise<Phase> {
    const known = { old: template.old, new: template.new }
    const archives = await wholeArchives(world)
    assert.ok(archives.includes(archive))
    const journal = journalsOf(world)[0]
    const found = journal?.state === 'swapping' ? undefined : assertOneOf(world.state(), known)
    const phase = verb === 'backup' ? phaseOfBackup(world, 1) : phaseOfRestore(world, found === 'new')
    tally[verb].add(phase)
    if (verb === 'backup') assert.equal(found, 'old')
    const next = nextStart(restoring())
    if (turn % 4 === 0) await assertDoctorTells(world, journal !== undefined)
    const { code, stderr } = await sealift(world, next)
    assert.equal(code, 0, `the start after it (${next[0]}) ended with ${code}: ${stderr}`)
    // Part files at a target are sealed; only what writes or frees space there looks for them.
    if (!['backup', 'prune'].includes(next[0] ?? '')) await okay(world, ...pruning)
    assertClean(world, where)
    assert.ok((await wholeArchives(world)).length >= archives.length)
    const expected = found === 'new' || journal?.state === 'swapping' || next[0] === 'restore' ? 'new' : 'old'
    assert.equal(assertOneOf(world.state(), known), expected)
    if (expected === 'new') assertSetAside(world)
    return phase
  }

  let turn = 0
  function nextStart(restore: readonly string[]): readonly string[] {
    const starts = [pruning, ['backup'], restore]
    return starts[turn++ % starts.length] ?? restore
  }

  /** The doctor looks at the journal before anything can have ended the restore. */
  async function assertDoctorTells(world: World, interrupted: boolean): Promise<void> {
    const { stdout, stderr } = await sealift(world, ['doctor'])
    assert.equal(/a restore of notes .* is (staging|swapping)/.test(stdout), interrupted, stdout + stderr)
  }

  function assertSetAside(world: World): void {
    const dated = readdirSync(world.folder).filter((name) => name.startsWith('pre-restore-'))
    const whole = dated.filter((name) => stateOf(world.join(name), places).join() === template.old.join())
    assert.equal(whole.length, 1, `of ${dated.join(', ')} one holds the old state whole`)
  }

  for (const verb of ['backup', 'restore'] as const) {
    test(`${verb} killed at any moment`, async (t) => {
      const args = verb === 'backup' ? ['backup'] : restoring()
      const duration = await durationOf(template, args)
      const share = verb === 'backup' ? Math.ceil(moments / 2) : Math.floor(moments / 2)
      const delays = Array.from({ length: share }, () => duration * (0.3 + 0.9 * random()))
      await inLanes(delays, async (delay) => {
        using world = template.copy()
        await sealiftUntil(world, args, delay, 'SIGKILL')
        await telling(`${verb} killed after ${delay.toFixed(1)} ms`, () =>
          examine(world, verb, `after ${delay}`),
        )
      })
      t.diagnostic(`${verb}, undisturbed ${duration.toFixed(0)} ms, killed: ${tally[verb].text}`)
    })

    test(`${verb} killed at every step`, async (t) => {
      const args = verb === 'backup' ? ['backup'] : restoring()
      const phases = new Tally()
      await inLanes(changing, async (call) => {
        await everyStep(template, args, call, async (world, at) => {
          const phase = await telling(`${verb} killed at ${at}`, () => examine(world, verb, at))
          phases.add(phase)
        })
      })
      t.diagnostic(`${verb} killed at ${phases.total} steps: ${phases.text}`)
    })
  }

  test('the start after a kill, killed at every step of its recovery', async (t) => {
    const known = { old: template.old, new: template.new }
    const counts = new Tally()
    // In the middle of the moves, in the clearing up afterwards, and while it was staged.
    const cuts = [
      ['rename', 6],
      ['rmdir', 1],
      ['fsync', 8],
    ] as const
    const recovering: readonly Call[] = ['rename', 'unlink', 'rmdir', 'fsync']
    await inLanes(cuts, async ([call, n]) => {
      using cut = template.copy()
      const { hit } = await killAtCall(cut, restoring(), call, n)
      const state = journalsOf(cut)[0]?.state
      assert.ok(hit && state !== undefined, `${call} ${n} is in the restore, with a journal`)
      for (const again of recovering) {
        await everyStep(cut, pruning, again, async (world, at) => {
          counts.add(state)
          await telling(`a restore killed at ${call} ${n}, its recovery at ${at}`, async () => {
            await okay(world, ...pruning)
            assertClean(world, at)
            assert.equal(assertOneOf(world.state(), known), state === 'swapping' ? 'new' : 'old')
            if (state === 'swapping') assertSetAside(world)
          })
        })
      }
    })
    t.diagnostic(`recoveries killed: ${counts.text}`)
    assert.ok(counts.count('swapping') > 10 && counts.count('staging') > 5)
  })

  test('a swap that failed and was undone, killed while the staged data was removed, leaves the old state', async () => {
    const known = { old: template.old, new: template.new }
    await inLanes(['rename', 'unlink', 'rmdir'] as const, async (call) => {
      for (let n = 1; ; n++) {
        using world = template.copy()
        const { hit, at } = await killAtCall(world, restoring(), call, n, { call: 'rename', n: 6 })
        if (!hit) break
        await telling(`the sixth rename failed, killed at ${call} ${n}: ${at}`, async () => {
          const moved = journalsOf(world)[0]?.state === 'swapping'
          await okay(world, ...pruning)
          assertClean(world, at)
          const state = assertOneOf(world.state(), known)
          if (!moved) assert.equal(state, 'old')
        })
      }
    })
  })

  test('a set-aside state that was removed before the next start costs nothing of the new one', async () => {
    using world = template.copy()
    const { hit } = await killAtCall(world, restoring(), 'rmdir', 1)
    assert.ok(hit && journalsOf(world)[0]?.state === 'swapping')
    assertSetAside(world)
    for (const name of readdirSync(world.folder).filter((one) => one.startsWith('pre-restore-')))
      rmSync(world.join(name), { recursive: true })
    await okay(world, ...pruning)
    assertClean(world, 'after it')
    assert.deepEqual(world.state(), template.new)
  })

  test('extract killed at every step leaves all or nothing, and the next start cleans up', async (t) => {
    const args = ['extract', archive, 'app', 'certs/ca.pem', '--to', 'out', '--key-file', 'key']
    using whole = template.copy()
    await okay(whole, ...args)
    const known = { nothing: [], all: stateOf(whole.folder, ['out']) }
    const ends = new Tally()
    let turns = 0
    await inLanes(changing, async (call) => {
      await everyStep(template, args, call, async (world, at) => {
        await telling(`extract killed at ${at}`, async () => {
          if (turns++ % 2 === 0) await okay(world, 'backup')
          else await sealift(world, args)
          assertClean(world, at)
          if (turns % 2 === 1) removeEmptyFolders(world)
          ends.add(assertOneOf(stateOf(world.folder, ['out']), known))
          assert.equal(assertOneOf(world.state(), { old: template.old }), 'old')
        })
      })
    })
    t.diagnostic(`extract killed at ${ends.total} steps: ${ends.text}`)
  })

  test('prune and rekey killed at every step leave whole archives', async (t) => {
    using several = await makeTemplate({ archives: 3 })
    await okay(several, 'keygen', 'newpass')
    const all = await wholeArchives(several)
    const newest = JSON.parse(await okay(several, 'list', '--json', '--quiet')).result.archives[0]
      .name as string
    assert.equal(all.length, 3)
    const ends = new Tally()
    for (const verb of [['prune'], ['rekey', newest, '--add-recipient', 'newpass', '--key-file', 'key']]) {
      await inLanes(changing, async (call) => {
        await everyStep(several, verb, call, async (world, at) => {
          await telling(`${verb[0]} killed at ${at}`, async () => {
            assert.ok((await wholeArchives(world)).includes(newest))
            await okay(world, 'backup')
            assertClean(world, at)
            ends.add(`${verb[0]}: ${(await wholeArchives(world)).length - 1} archives`)
          })
        })
      })
    }
    t.diagnostic(`killed: ${ends.text}`)
  })

  test('every phase was hit', () => {
    for (const phase of ['snapshot', 'seal', 'commit', 'done'] as const)
      assert.ok(tally.backup.count(phase) > 0, `no backup was killed in ${phase}: ${tally.backup.text}`)
    for (const phase of ['staging', 'swapping', 'tidying', 'done'] as const)
      assert.ok(tally.restore.count(phase) > 0, `no restore was killed in ${phase}: ${tally.restore.text}`)
    assert.ok(tally.backup.total + tally.restore.total >= moments)
  })
})

function assertClean(world: World, where: string): void {
  assert.deepEqual(residueOf(world), [], `left behind (${where})`)
  assert.deepEqual(plaintextIn(world), [], `plaintext (${where})`)
}

/** Kills `args` at the first, second, third, … call of a kind, each in a copy of `from`, until a run has no more of them. */
async function everyStep(
  from: Pick<Template, 'copy'> | World,
  args: readonly string[],
  call: Call,
  examine: (world: World, at: string) => Promise<void>,
): Promise<void> {
  for (let n = 1; ; n++) {
    using world = 'copy' in from ? from.copy() : copyOf(from)
    const { hit, at, outcome } = await killAtCall(world, args, call, n)
    if (!hit) {
      assert.equal(
        outcome.code,
        0,
        `the undisturbed ${args[0]} under strace: ${outcome.stdout}${outcome.stderr}`,
      )
      return
    }
    await examine(world, `${call} ${n}: ${at}`)
  }
}

/** The shortest of four: a machine that stands still for a moment must not put all kills after the end. */
async function durationOf(template: Template, args: readonly string[]): Promise<number> {
  const times: number[] = []
  await inLanes([1, 2, 3, 4], async () => {
    using world = template.copy()
    const { code, ms, stderr } = await sealift(world, args)
    assert.equal(code, 0, stderr)
    times.push(ms)
  })
  return Math.min(...times)
}

async function telling<T>(what: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    throw new Error(`${what} (seed ${seed}): ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

function removeEmptyFolders(world: World): void {
  if (stateOf(world.folder, ['out']).every((line) => line.endsWith('folder')))
    rmSync(world.join('out'), { recursive: true, force: true })
}
