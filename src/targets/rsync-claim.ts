import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { SealiftError } from '../errors.ts'
import { partName, thisProcess } from './part-file.ts'
import { listEntries } from './rsync-list.ts'
import type { RsyncRemote } from './rsync-remote.ts'

/** The exit code of rsync(1) for `--max-delete` that stopped a removal. */
const removalStopped = 25
const turns = 8

/**
 * The right to write one name, as an empty file in the folder on the other host that says which process has it. rsync
 * has no step that makes a name and never replaces one: it looks first and renames much later. So whoever wants to write
 * makes a claim under a name of its own and looks then: of two that do so at once, at least one sees the other and gives
 * way. A claim that a killed process left keeps only its one name, until a sweep.
 */
export interface RsyncClaim {
  /** The names of the claim and of the folder for what a cut connection leaves. */
  readonly file: string
  readonly parts: string
}

/** The names by which a process claims an archive. */
export function claimFor(name: string): RsyncClaim {
  const parts = partName(name, thisProcess())
  return { file: parts.replace(/part$/, 'claim'), parts }
}

/**
 * Takes the right to write `name`. OBJECT_EXISTS where the name is taken, unless it is to be replaced, or another
 * process goes on writing it. One connection where nobody else is there.
 */
export async function takeClaim(
  remote: RsyncRemote,
  name: string,
  folder: string,
  onlyNew: boolean,
  signal?: AbortSignal,
): Promise<RsyncClaim> {
  const operation = `${onlyNew ? 'create' : 'replace'} ${name}`
  for (let turn = 1; ; turn++) {
    const claim = claimFor(name)
    const source = join(folder, `claim-${turn}`)
    await mkdir(source)
    await writeFile(join(source, claim.file), '', { mode: 0o600 })
    // With a limit of none, rsync removes nothing and says whether there was something to remove: what it counts is
    // read after the claim was made.
    const others = [...(onlyNew ? [`risk /${name}`] : []), `risk /.${name}.*.claim`, 'protect *']
    const args = ['--dirs', '--omit-dir-times', '--delete-after', '--max-delete=0', ...filters(others)]
    try {
      const sent = [...args, `${source}/`, remote.place]
      if ((await remote.run(operation, sent, signal, removalStopped)) !== undefined) return claim
    } catch (error) {
      await dropClaim(remote, name, claim, source).catch(() => undefined)
      throw error
    }
    await dropClaim(remote, name, claim, folder)
    const found = await listEntries(remote, [name, `.${name}.*.claim`], operation, signal)
    const taken = onlyNew && found.some((entry) => entry.name === name)
    if (taken || turn === turns) throw new SealiftError('OBJECT_EXISTS', { target: remote.target, name })
    // Two that met must not meet again.
    await sleep(100 + Math.random() * 200 * turn, undefined, signal === undefined ? {} : { signal })
  }
}

/** Gives the right back, and removes what a cut connection left. */
export async function dropClaim(
  remote: RsyncRemote,
  name: string,
  claim: RsyncClaim,
  folder: string,
): Promise<void> {
  await removeEntries(remote, `give up ${name}`, folder, [claim.file, claim.parts])
}

/** Removes names from the folder, folders with all that is in them, and returns those that were there. */
export async function removeEntries(
  remote: RsyncRemote,
  operation: string,
  scratch: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  const empty = join(scratch, 'empty')
  await mkdir(empty, { recursive: true })
  const args = ['--dirs', '--omit-dir-times', '--delete', ...filters([...riskOf(names), 'protect *'])]
  const lines = await remote.run(
    operation,
    [...args, '--out-format=%i %n', `${empty}/`, remote.place],
    signal,
  )
  const removed = (lines ?? []).flatMap((line) => /^\*deleting +(.+?)\/?$/.exec(line)?.[1] ?? [])
  return names.filter((name) => removed.includes(name))
}

/** Filter rules under which rsync may remove these names. */
export function riskOf(names: readonly string[]): string[] {
  return names.flatMap((name) => (name.endsWith('.part') ? [`risk /${name}/***`] : [`risk /${name}`]))
}

export function filters(rules: readonly string[]): string[] {
  return rules.map((rule) => `--filter=${rule}`)
}
