import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCode } from '../errors.ts'
import { archiveEndings, endingPattern } from './object-name.ts'
import type { Owner } from './part-file.ts'
import { fateOf, ownerOf, thisProcess } from './part-file.ts'
import { removeEntries } from './rsync-claim.ts'
import { listEntries } from './rsync-list.ts'
import type { RsyncRemote } from './rsync-remote.ts'

const day = 24 * 60 * 60 * 1000

/** What a write leaves: its claim, its folder of parts, and the hidden file that rsync itself was writing. */
const leftover = new RegExp(`^\\.(.+\\.${endingPattern})\\.(.+\\.(?:claim|part)|[A-Za-z0-9]{6})$`)

/**
 * Removes from the folder on the other host what writes of dead processes left, and what nobody can tell the owner of if
 * it is a day old; returns the names. A hidden file of rsync’s goes with the claim of its archive.
 */
export async function sweepRemote(
  remote: RsyncRemote,
  scratch: string,
  now: Date,
  signal?: AbortSignal,
): Promise<string[]> {
  const patterns = archiveEndings.flatMap((ending) =>
    ['*.claim', '*.part', '??????'].map((rest) => `.*.${ending}.${rest}`),
  )
  const found = (await listEntries(remote, patterns, 'sweep', signal)).flatMap((entry) => {
    const [, archive] = leftover.exec(entry.name) ?? []
    return archive === undefined ? [] : [{ ...entry, archive, owner: ownerOf(partOf(entry.name)) }]
  })
  const self = thisProcess()
  const isOld = (at: Date) => now.getTime() - at.getTime() > day
  const goes = (owner: Owner, at: Date) => {
    const fate = fateOf(owner, self)
    return fate === 'dead' || (fate === 'unknown' && isOld(at))
  }
  const owned = found.flatMap((entry) =>
    entry.owner === undefined ? [] : [{ ...entry, owner: entry.owner }],
  )
  const dead = owned.filter(({ owner, modifiedAt }) => goes(owner, modifiedAt))
  const kept = new Set(owned.filter((entry) => !dead.includes(entry)).map(({ archive }) => archive))
  const abandoned = new Set(dead.map(({ archive }) => archive))
  const hidden = found.filter(
    ({ owner, archive, modifiedAt }) =>
      owner === undefined && !kept.has(archive) && (abandoned.has(archive) || isOld(modifiedAt)),
  )
  const names = [...dead, ...hidden].map(({ name }) => name)
  return names.length === 0 ? [] : await removeEntries(remote, 'sweep', scratch, names, signal)
}

/** Removes the private folders of writes and reads whose process is dead from this machine. */
export async function sweepScratch(folder: string, now: Date): Promise<void> {
  const self = thisProcess()
  for (const name of await namesIn(folder)) {
    const owner = ownerOf(name)
    const fate = owner === undefined ? 'living' : fateOf(owner, self)
    if (fate === 'living') continue
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (fate === 'unknown' && (found === undefined || now.getTime() - found.mtime.getTime() < day)) continue
    await rm(path, { recursive: true, force: true })
  }
}

/** The name of the folder of parts that belongs to a claim: it says the same owner. */
function partOf(name: string): string {
  return name.replace(/claim$/, 'part')
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
