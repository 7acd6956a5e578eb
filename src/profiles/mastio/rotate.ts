import { constants } from 'node:fs'
import { open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf, SealiftError } from '../../errors.ts'
import { withKey } from './env-file.ts'
import { localSecrets } from './inventory.ts'

/** Gives this many random bytes. */
export type RandomBytes = (size: number) => Buffer

/** The text with new values for the two local secrets: 32 random bytes as hex each. */
export function withNewSecrets(text: string, random: RandomBytes): string {
  return localSecrets.reduce((changed, key) => withKey(changed, key, random(32).toString('hex')), text)
}

/** Gives `proxy.env` new values for the two local secrets, as `editFile` does. Gives the names of the keys. */
export async function rotateLocalSecrets(path: string, random: RandomBytes): Promise<readonly string[]> {
  await editFile(path, (text) => withNewSecrets(text, random))
  return localSecrets
}

/**
 * Replaces a small text file at once: whoever reads it sees the old text or the new one, also after a crash. Mode and
 * owner stay; a symlink stays, and what it leads to is replaced. Nothing is written if the text stays the same. Throws
 * IO_FAILED.
 */
export async function editFile(path: string, edit: (text: string) => string): Promise<void> {
  let part: string | undefined
  try {
    const real = await realpath(path)
    const text = await readFile(real, 'latin1')
    const changed = edit(text)
    if (changed === text) return
    // One name, so that the next edit takes away what a killed one left.
    part = `${real}.sealift-part`
    await rm(part, { force: true })
    {
      await using old = await open(real, constants.O_RDONLY)
      const { mode, uid, gid } = await old.stat()
      await using file = await open(part, 'wx', 0o600)
      await file.writeFile(changed, 'latin1')
      const made = await file.stat()
      if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid)
      await file.chmod(mode & 0o7777)
      await file.sync()
    }
    await rename(part, real)
    await using folder = await open(dirname(real), constants.O_RDONLY)
    await folder.sync()
  } catch (error) {
    if (part !== undefined) await rm(part, { force: true })
    if (error instanceof SealiftError) throw error
    throw new SealiftError('IO_FAILED', { path, operation: 'changing', reason: reasonOf(error) }, error)
  }
}
