import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealift } from './journey-program.ts'
import { assertOneOf, stateOf } from './journey-state.ts'
import type { State } from './journey-state.ts'

/** A machine's bundle as it is: without set-aside states, and without the time of a file that a restore writes anew. */
export function stateOfBundle(folder: string): State {
  return stateOf(folder, ['bundle'])
    .filter((line) => !/\/pre-restore-/.test(line))
    .map((line) => line.replace(/^(bundle\/proxy\.env \S+ \S+ \d+) \d+/, '$1'))
}

/**
 * A restore with little room, in a mount namespace that ends with this process: the machine's folder becomes a small
 * disk with the same content. Prints what state it is in after the next start, and how the restore ended.
 */
if (import.meta.main) {
  const [folder = '', room = '', known = ''] = process.argv.slice(2)
  const disk = mkdtempSync(join(tmpdir(), 'sealift-journey-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', disk])
    execFileSync('cp', ['-a', `${folder}/.`, disk])
    execFileSync('mount', ['--bind', disk, folder])
    const { blocks, bfree, bsize } = statfsSync(folder)
    execFileSync('mount', ['-o', `remount,size=${(blocks - bfree) * bsize + Number(room)}`, disk])
    const at = { folder }
    const { code, stderr } = await sealift(at, ['restore', 'latest', '--force'])
    execFileSync('mount', ['-o', 'remount,size=512m', disk])
    const next = await sealift(at, ['prune', '--keep-last', '9'])
    assert.equal(next.code, 0, next.stderr)
    const state = assertOneOf(stateOfBundle(folder), JSON.parse(known) as { old: State; new: State })
    const said = stderr.split('\n').find((line) => line.startsWith('sealift: ')) ?? ''
    process.stdout.write(`${state} ${code} ${said}\n`)
  } finally {
    execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' })
    execFileSync('umount', ['--lazy', disk], { stdio: 'ignore' })
    rmSync(disk, { recursive: true })
  }
}
