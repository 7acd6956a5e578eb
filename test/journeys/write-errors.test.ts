import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { fullDisk } from '../support/journey-full-disk.ts'
import { inLanes } from '../support/journey-lanes.ts'
import { journalsOf, Tally } from '../support/journey-phase.ts'
import { program, start } from '../support/journey-program.ts'
import type { Outcome } from '../support/journey-program.ts'
import { plaintextIn, residueOf, wholeArchives } from '../support/journey-residue.ts'
import { assertOneOf } from '../support/journey-state.ts'
import type { Call } from '../support/journey-strace.ts'
import { calls, failAtCall, requireStrace } from '../support/journey-strace.ts'
import { makeTemplate, mayMount, okay } from '../support/journey-world.ts'
import type { Template, World } from '../support/journey-world.ts'

type Verb = 'backup' | 'restore'

/** Every call with which a disk is written to or a name is changed; writes themselves fail in the tests of full disks. */
const all = Object.keys(calls) as Call[]
/** Those that take room. */
const taking: readonly Call[] = ['mkdir', 'link', 'symlink', 'rename', 'fsync']
/** Those that a run goes on needing to clean up after itself. */
const lasting: readonly Call[] = ['rename', 'fsync', 'unlink', 'rmdir', 'mkdir']

suite('a disk that fails', () => {
  let template: Template
  let archive: string

  before(async () => {
    requireStrace()
    template = await makeTemplate()
    archive = (await wholeArchives(template))[0] ?? ''
  })
  after(() => template[Symbol.dispose]())

  const argsOf = (verb: Verb): string[] =>
    verb === 'backup' ? ['backup'] : ['restore', archive, '--force', '--key-file', 'key']

  for (const verb of ['backup', 'restore'] as const) {
    test(`${verb}: each call fails once (EIO)`, (t) =>
      each(verb, all, 'EIO', '', (text) => t.diagnostic(text)))
    test(`${verb}: each call that takes room fails once (ENOSPC)`, (t) =>
      each(verb, taking, 'ENOSPC', '', (text) => t.diagnostic(text)))
    test(`${verb}: from some call on, all of its kind fail (EIO)`, (t) =>
      each(verb, lasting, 'EIO', '+', (text) => t.diagnostic(text)))
  }

  async function each(
    verb: Verb,
    kinds: readonly Call[],
    error: string,
    on: string,
    say: (text: string) => void,
  ): Promise<void> {
    const ends = new Tally()
    await inLanes(kinds, async (call) => {
      for (let n = 1; ; n++) {
        using world = template.copy()
        const { hit, at, outcome } = await failAtCall(world, argsOf(verb), call, error, `${n}${on}`)
        const what = `${verb}, ${call} ${n}${on} ${error} (${at.slice(0, 300)})`
        if (!hit) {
          assert.equal(outcome.code, 0, `${what}: ${outcome.stderr}`)
          return
        }
        ends.add(await telling(what, outcome, () => examine(world, verb, outcome, error)))
      }
    })
    say(`${verb}, ${error}${on}: ${ends.total} failures: ${ends.text}`)
  }

  /** What must hold after a run on a failing disk, and after the next start on a sound one. */
  async function examine(world: World, verb: Verb, outcome: Outcome, error: string): Promise<string> {
    const { code, stderr } = outcome
    assert.equal(outcome.signal, null)
    // Left as it is and named: what the next start has to end.
    const undone = stderr.includes('the next start') || code === 73
    assert.ok(
      code === 0 || code === 69 || (code === 73 && /interrupted and could not be undone/.test(stderr)),
    )
    if (code !== 0) assert.match(stderr, new RegExp(`${world.folder}|notes-\\d{8}T|target disk|source \\w+`))
    // Node tells of an error of mkdir(2) that it took for a missing parent as ENOENT.
    if (code === 69)
      assert.ok(stderr.includes(error) || /disk I\/O|snapshot failed|no space|ENOENT.*mkdir/.test(stderr))
    if (!undone) assert.deepEqual(plaintextIn(world), [])
    const archives = await wholeArchives(world)
    assert.ok(archives.includes(archive))
    const known = { old: template.old, new: template.new }
    const swapping = journalsOf(world)[0]?.state === 'swapping'
    const inPlace = stderr.includes('all is in its place')
    if (!swapping) {
      const expected = verb === 'restore' && (code === 0 || inPlace) ? 'new' : 'old'
      assert.equal(assertOneOf(world.state(), known), expected)
    }
    if (verb === 'backup' && code === 0) assert.equal(archives.length, 2)
    const left = residueOf(world)
    const harmless = /\.part$|holder\.json$|^state\/scratch\/notes$|^state\/\.doctor|catalog\.db-journal$/
    if (!undone)
      assert.deepEqual(
        left.filter((name) => !harmless.test(name)),
        [],
        stderr,
      )
    await okay(world, 'prune', '--keep-last', '9')
    assert.deepEqual(residueOf(world), [])
    assert.deepEqual(plaintextIn(world), [])
    const after = assertOneOf(world.state(), known)
    if (verb === 'backup') assert.equal(after, 'old')
    return `exit ${code}${undone ? ', ended by the next start' : ''}, ${after}`
  }

  test('files may not grow beyond a limit (EFBIG), from none to all that is needed', async (t) => {
    const ends = new Tally()
    const limits = [0, 1, 16, 64, 200, 500, 1000, 1400, 1600, 1900, 2400]
    const cases = (['backup', 'restore'] as const).flatMap((verb) => limits.map((kib) => ({ verb, kib })))
    await inLanes(cases, async ({ verb, kib }) => {
      using world = template.copy()
      const command = ['prlimit', `--fsize=${kib * 1024}`, program, ...argsOf(verb)]
      const outcome = await start(world, command).ended
      const what = `${verb} with files of at most ${kib} KiB`
      ends.add(await telling(what, outcome, () => examine(world, verb, outcome, 'EFBIG')))
    })
    t.diagnostic(ends.text)
    assert.ok(ends.total > ends.count('exit 0, old') + ends.count('exit 0, new') + 8)
  })

  test('a disk without room or without inodes, from none to all that is needed', async (t) => {
    // Where nothing may be mounted, the limit on files above is the full disk.
    if (!mayMount()) return t.diagnostic('nothing may be mounted here: only the limit on files was tried')
    using crumbs = await makeTemplate({ crumbs: 400 })
    const scenarios = ['inodes-backup', 'inodes-restore', 'filler-backup', 'filler-restore'] as const
    await inLanes(
      [...scenarios, 'crumbs-restore', 'small-backup', 'small-restore'] as const,
      async (scenario) => {
        const said = await fullDisk(scenario === 'crumbs-restore' ? crumbs : template, scenario)
        t.diagnostic(`${scenario}: ${said}`)
      },
    )
  })
})

async function telling<T>(what: string, { code, stderr }: Outcome, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${what}: exit ${code}: ${stderr}\n${reason}`, { cause: error })
  }
}
