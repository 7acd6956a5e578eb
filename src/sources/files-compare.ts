import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readlink, stat } from 'node:fs/promises'
import { SealiftError, reasonOf, systemCode } from '../errors.ts'
import type { ManifestSource } from '../manifest.ts'
import type { IndexEntry } from '../member.ts'
import { readDescriptor } from './descriptor.ts'
import type { SpotCheck } from './source.ts'

/** Compares sampled members with the live files: type, size, content by SHA-256, symlink target. */
export async function compareFiles(
  source: string,
  root: string,
  sample: readonly IndexEntry[],
  recorded: ManifestSource,
  signal: AbortSignal,
): Promise<SpotCheck[]> {
  const single = (await isFolder(source, root)) === false
  const checks: SpotCheck[] = []
  for (const entry of sample) {
    signal.throwIfAborted()
    const path = entry.path.slice(recorded.name.length + 1)
    const live = single || path === '' ? root : `${root}/${path}`
    try {
      const detail = await difference(live, entry, signal)
      checks.push({
        path: entry.path,
        ...(detail === undefined ? { state: 'same' } : { state: 'changed', detail }),
      })
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') checks.push({ path: entry.path, state: 'missing' })
      else if (code === undefined) throw error
      else throw new SealiftError('SOURCE_UNREADABLE', { source, path: live, reason: reasonOf(error) }, error)
    }
  }
  return checks
}

/** `undefined` if nothing is there. */
async function isFolder(source: string, root: string): Promise<boolean | undefined> {
  try {
    return (await stat(root)).isDirectory()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SealiftError('SOURCE_UNREADABLE', { source, path: root, reason: reasonOf(error) }, error)
  }
}

/** How the live file differs from the member, in words; `undefined` if it does not. */
async function difference(path: string, entry: IndexEntry, signal: AbortSignal): Promise<string | undefined> {
  if (entry.type === 'symlink') {
    const is = (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined
    if (is === entry.link) return undefined
    return is === undefined ? 'no symlink any more' : `points to ${is}, not to ${entry.link ?? ''}`
  }
  if (entry.type === 'directory') return (await stat(path)).isDirectory() ? undefined : 'no folder any more'

  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  await using _closing = handle
  const is = await handle.stat()
  if (!is.isFile()) return 'no regular file any more'
  // A hard link has its content at the member that it names.
  if (entry.type === 'hardlink') return undefined
  if (is.size !== entry.size) return `${entry.size} → ${is.size} bytes`
  const hash = createHash('sha256')
  for await (const piece of readDescriptor(handle, is.size, signal)) hash.update(piece)
  return hash.digest('hex') === entry.sha256 ? undefined : 'same size, other content'
}
