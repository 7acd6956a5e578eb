import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { reasonOf, SealiftError, systemCode } from '../../errors.ts'

/** Certificates, keys and `proxy.env` are far smaller; the rest of a larger file is not read. */
const largest = 1024 * 1024

/**
 * The content of a small file, `undefined` if there is none. A FIFO is not waited for, and a symlink at the end of the
 * path is none of the application's files. Throws SOURCE_UNREADABLE where this user may not look.
 */
export async function readSmall(source: string, path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return undefined
    const { buffer, bytesRead } = await file.read(Buffer.alloc(largest), 0, largest, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw new SealiftError('SOURCE_UNREADABLE', { source, path, reason: reasonOf(error) }, error)
  }
}
