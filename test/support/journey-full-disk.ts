import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Outcome } from './journey-program.ts'
import { program, sealift, start } from './journey-program.ts'
import { plaintextIn, residueOf, wholeArchives } from './journey-residue.ts'
import type { State } from './journey-state.ts'
import { assertOneOf } from './journey-state.ts'
import type { Template, World } from './journey-world.ts'
import { okay, worldAt } from './journey-world.ts'

/**
 * A whole world on a small disk. `inodes`: one more file may be made each time, until all fit. `filler`: the check for
 * room passes, then another process takes it. `crumbs`: small files take more room than their sizes say. `small`: there
 * is too little from the start, and the run says so.
 */
export type Scenario = `${'inodes' | 'filler' | 'small'}-${'backup' | 'restore'}` | 'crumbs-restore'

interface Known {
  readonly old: State
  readonly new: State
}

/** Plays a scenario in a mount namespace that ends with it. Throws with what did not hold; returns what was seen. */
export async function fullDisk(template: Template, scenario: Scenario): Promise<string> {
  const known: Known = { old: template.old, new: template.new }
  const child = spawn(
    'unshare',
    ['--mount', process.execPath, import.meta.filename, scenario, template.folder, JSON.stringify(known)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${scenario}: ${stderr}`)
  return stdout.trim()
}

if (import.meta.main) {
  const [scenario = '', from = '', known = ''] = process.argv.slice(2)
  const folder = mkdtempSync(join(tmpdir(), 'sealift-journey-'))
  try {
    process.stdout.write(await play(scenario as Scenario, from, JSON.parse(known) as Known, worldAt(folder)))
  } finally {
    execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' })
    rmSync(folder, { recursive: true })
  }
}

async function play(scenario: Scenario, from: string, known: Known, world: World): Promise<string> {
  const [kind, verb = ''] = scenario.split('-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', world.folder])
  execFileSync('cp', ['-a', `${from}/.`, world.folder])
  const [archive = ''] = await wholeArchives(world)
  const args = verb === 'backup' ? ['backup'] : ['restore', archive, '--force', '--key-file', 'key']
  const check = (outcome: Outcome): Promise<boolean> => examine(world, verb, known, outcome)
  if (kind === 'inodes') {
    for (let more = 0; ; more++) {
      remount(world, `nr_inodes=${usedInodes(world) + more}`)
      const outcome = await sealift(world, args)
      remount(world, 'nr_inodes=100000')
      if (!(await check(outcome))) return `${more} times there was no inode for all of it`
      assert.ok(more < 200, outcome.stderr)
    }
  }
  if (kind === 'crumbs' || kind === 'small') {
    remount(world, `size=${usedBytes(world) + (kind === 'small' ? 600_000 : 3_300_000)}`)
    const outcome = await sealift(world, args)
    remount(world, 'size=128m')
    assert.ok(await check(outcome), outcome.stdout)
    assert.match(outcome.stderr, kind === 'small' ? /bytes (are needed|free)/ : /ENOSPC/)
    return failureIn(outcome)
  }
  // The filler may come too late, so it is given several chances.
  for (let attempt = 1; attempt <= 10; attempt++) {
    remount(world, `size=${usedBytes(world) + 7_000_000}`)
    const outcome = await filling(world, verb, args)
    rmSync(world.join('filler'), { force: true })
    remount(world, 'size=128m')
    if (await check(outcome)) return `filled at attempt ${attempt}: ${failureIn(outcome)}`
    execFileSync('sh', ['-c', 'rm -rf "$1"/* && cp -a "$2/." "$1"', 'sh', world.folder, from])
  }
  throw new Error('the disk was never full in time')
}

/** True if the run failed, as it may: nothing half done, the old state as it was, nothing left but for the next start. */
async function examine(world: World, verb: string, known: Known, outcome: Outcome): Promise<boolean> {
  const { code, stderr } = outcome
  // SQLite says of a sidecar that it cannot make only that it cannot open the database: exit 77.
  assert.ok(
    code === 0 || code === 69 || (code === 77 && stderr.includes('source db')),
    `exit ${code}: ${stderr}`,
  )
  assert.deepEqual(plaintextIn(world), [])
  await wholeArchives(world)
  const state = assertOneOf(world.state(), known)
  assert.equal(state, verb === 'restore' && code === 0 ? 'new' : 'old', stderr)
  if (code === 0) return false
  assert.match(stderr, new RegExp(`${world.folder}|target disk|source db`))
  await okay(world, 'prune', '--keep-last', '99')
  assert.deepEqual(residueOf(world), [])
  return true
}

/** Runs it, and takes all the room there is as soon as its file or folder appears. */
async function filling(world: World, verb: string, args: readonly string[]): Promise<Outcome> {
  const { child, ended } = start(world, [program, ...args])
  const [folder, sign] =
    verb === 'backup' ? [world.join('archives'), '.part'] : [world.folder, '.sealift-restore-']
  while (child.exitCode === null && !readdirSync(folder).some((name) => name.includes(sign))) await nextTurn()
  const { bavail, bsize } = statfsSync(world.folder)
  try {
    writeFileSync(world.join('filler'), Buffer.alloc(Math.max(0, bavail * bsize)))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
  return ended
}

function failureIn({ stderr }: Outcome): string {
  return stderr.split('\n').find((line) => line.startsWith('sealift: ')) ?? ''
}

function remount(world: World, option: string): void {
  execFileSync('mount', ['-o', `remount,${option}`, world.folder])
}

function usedInodes(world: World): number {
  const { files, ffree } = statfsSync(world.folder)
  return files - ffree
}

function usedBytes(world: World): number {
  const { blocks, bfree, bsize } = statfsSync(world.folder)
  return (blocks - bfree) * bsize
}
