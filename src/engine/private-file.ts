import { access, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf, SealiftError } from '../errors.ts'
import { syncFolder } from './journal.ts'

/** USAGE for a file that is there already: what a run tells of is never overwritten. */
export async function refuseExisting(file: string): Promise<void> {
  const there = await access(file).then(
    () => true,
    () => false,
  )
  if (there) throw new SealiftError('USAGE', { reason: `${file} exists already; name another file` })
}

/** Writes a new file, mode 0600, which appears under its name only when it is whole. IO_FAILED. */
export async function writePrivate(file: string, pieces: Iterable<string>): Promise<void> {
  const part = `${file}.sealift-part`
  try {
    await rm(part, { force: true })
    {
      await using handle = await open(part, 'wx', 0o600)
      for (const piece of pieces) await handle.appendFile(piece)
      await handle.sync()
    }
    await rename(part, file)
    await syncFolder(path.dirname(file))
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof SealiftError) throw error
    throw new SealiftError('IO_FAILED', { path: file, operation: 'writing', reason: reasonOf(error) }, error)
  }
}
