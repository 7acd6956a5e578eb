import { constants } from 'node:fs'
import { dirname } from 'node:path'

import { SealiftError, systemCode } from '../errors.ts'
import type { Disk } from './folder.ts'
import { syncFolder } from './folder.ts'

/** What a file system without hard links answers (FAT, many FUSE ones, some network shares). */
const noHardLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']

/**
 * Gives a complete part file its name, if nothing has that name: OBJECT_EXISTS otherwise. A hard link is the one step
 * of POSIX that makes a name and never replaces one; a rename replaces. A process killed between the link and the
 * unlink leaves the whole archive, and a second name of it for the sweep.
 */
export async function publishNew(disk: Disk, target: string, name: string, part: string, path: string) {
  try {
    await disk.link(part, path)
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (noHardLinks.includes(code)) return await publishClaimed(disk, target, name, part, path)
    // A repeated NFS request is told EEXIST of the link that its first try made (link(2), open(2)).
    if (code === 'EEXIST' && !(await sameFile(disk, part, path))) throw exists(target, name, error)
    if (code !== 'EEXIST') throw error
  }
  await undoing(disk, path, async () => {
    await disk.unlink(part)
    await syncFolder(disk, dirname(path))
  })
}

/** Puts a complete part file in the place of an archive: at every moment the name is the old one or the new one. */
export async function publishOver(disk: Disk, part: string, path: string): Promise<void> {
  await disk.rename(part, path)
  await syncFolder(disk, dirname(path))
}

/** The claim file of a name: held for the moment between looking for the name and taking it. */
export const claimName = (name: string): string => `.${name}.claim`

/**
 * Without hard links: whoever makes the claim file first may look and rename. A claim that a killed process left is
 * swept after a day; until then only that one name stays taken.
 */
async function publishClaimed(disk: Disk, target: string, name: string, part: string, path: string) {
  const claim = `${dirname(path)}/${claimName(name)}`
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  const handle = await disk.open(claim, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600).catch((error) => {
    throw systemCode(error) === 'EEXIST' ? exists(target, name, error) : error
  })
  try {
    await handle.close()
    if (await isTaken(disk, path)) throw exists(target, name)
    await disk.rename(part, path)
    await undoing(disk, path, async () => {
      await syncFolder(disk, dirname(path))
      await disk.unlink(claim)
    })
  } catch (error) {
    await disk.unlink(claim).catch(() => undefined)
    throw error
  }
}

/** Runs the steps after `path` has become visible; takes the name back if one of them fails. */
async function undoing(disk: Disk, path: string, steps: () => Promise<void>): Promise<void> {
  try {
    await steps()
  } catch (error) {
    // If this fails too, what stays is a whole and synced archive.
    await disk.unlink(path).catch(() => undefined)
    throw error
  }
}

async function isTaken(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.lstat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

async function sameFile(disk: Disk, one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([disk.lstat(one), disk.lstat(other)])
  return a.ino === b.ino && a.dev === b.dev
}

function exists(target: string, name: string, cause?: unknown): SealiftError {
  return new SealiftError('OBJECT_EXISTS', { target, name }, cause)
}
