import { constants } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { dirname } from 'node:path'

import { systemCode } from '../errors.ts'

/** The part of node:fs/promises that a folder of archives needs: handed in, so that any step can be made to fail. */
export type Disk = Pick<
  typeof fs,
  'open' | 'link' | 'unlink' | 'rename' | 'mkdir' | 'lstat' | 'statfs' | 'readdir'
>

/** Makes the folder and its missing parents, 0700 each, and their names durable. */
export async function makeFolder(disk: Disk, path: string): Promise<void> {
  const first = await disk.mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(disk, dirname(made))
  }
}

/** Makes the names in a folder durable. A file system that has no such operation (some network ones) is let pass. */
export async function syncFolder(disk: Disk, path: string): Promise<void> {
  const handle = await disk.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error
  } finally {
    await handle.close()
  }
}

/** Free bytes of the file system that a folder is on, or will be on once it is made. */
export async function freeBytes(disk: Disk, path: string): Promise<number> {
  try {
    const { bavail, bsize } = await disk.statfs(path)
    return bavail * bsize
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    return await freeBytes(disk, dirname(path))
  }
}

/** Size and times of a regular file; undefined for what is missing or is anything else, a symlink among it. */
export async function regularFile(
  disk: Disk,
  path: string,
): Promise<{ size: number; mtime: Date; ino: number; dev: number } | undefined> {
  try {
    const stat = await disk.lstat(path)
    return stat.isFile() ? stat : undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
