import { join } from 'node:path'

import { systemCode } from '../errors.ts'
import type { Disk } from './folder.ts'
import { regularFile } from './folder.ts'
import { endingPattern } from './object-name.ts'
import { fateOf, ownerOf, thisProcess } from './part-file.ts'

const claim = new RegExp(`^\\..+\\.${endingPattern}\\.claim$`)
const day = 24 * 60 * 60 * 1000

/**
 * Removes the part files whose process is dead and returns their names. Where nobody can tell (another host or
 * container, a claim file), those that nothing was written to for a day.
 */
export async function sweepFolder(
  disk: Disk,
  folder: string,
  now: Date,
  signal?: AbortSignal,
): Promise<string[]> {
  const self = thisProcess()
  const removed: string[] = []
  for (const file of await entries(disk, folder)) {
    signal?.throwIfAborted()
    const owner = ownerOf(file)
    if (owner === undefined && !claim.test(file)) continue
    const fate = owner === undefined ? 'unknown' : fateOf(owner, self)
    if (fate === 'living') continue
    const stat = await regularFile(disk, join(folder, file))
    if (stat === undefined) continue
    if (fate === 'unknown' && now.getTime() - stat.mtime.getTime() < day) continue
    if (await removeFile(disk, join(folder, file))) removed.push(file)
  }
  return removed
}

async function entries(disk: Disk, folder: string): Promise<string[]> {
  try {
    return await disk.readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** False if another sweep was first. */
async function removeFile(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.unlink(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
