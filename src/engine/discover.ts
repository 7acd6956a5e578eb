import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf } from '../errors.ts'
import { classifyFile, serverOf } from './discover-file.ts'
import type { FileKind, LeftOut } from './discover-file.ts'

/** Something that a look around came by. `path` is absolute. */
export interface Sighting {
  readonly kind: FileKind | 'data' | 'folder' | 'server-data'
  readonly path: string
}

export interface Surroundings {
  readonly sightings: readonly Sighting[]
  readonly leftOut: readonly LeftOut[]
  readonly entries: number
}

/** How many levels of folders are looked into, and how many entries in all. */
const levels = 4
const mostEntries = 20_000

const skippedFolder =
  /^(node_modules|\.git|\.hg|\.svn|\.?caches?|__pycache__|\.?venv|\.tox|\.npm|\.yarn|\.pnpm-store|lost\+found|te?mp|pre-restore-\d{8}T\d{6}Z.*|\.sealift-restore-.*)$/i
const dataFolder = /^(data|uploads?|media|attachments?|files|storage|documents|avatars|blobs)$/i

/**
 * Looks around in a folder, the near before the far; symlinks are not followed. Files are opened for their first
 * bytes only. `skip` names folders of Sealift's own: this process has its catalogue open, and opening that file a
 * second time would drop SQLite's locks on it.
 */
export async function discover(
  folder: string,
  skip: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Surroundings> {
  const sightings: Sighting[] = []
  const leftOut: LeftOut[] = []
  const queue: { readonly at: string; readonly level: number }[] = [{ at: folder, level: 1 }]
  let entries = 0
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { at, level } = next
    const children = await childrenOf(at, at === folder ? undefined : leftOut)
    const server = serverOf(children.map(({ name }) => name))
    if (server !== undefined) {
      sightings.push({ kind: 'server-data', path: at })
      const reason = `the live files of a ${server} server, which this configuration does NOT back up: a copy of them would not restore`
      leftOut.push({ path: at, reason, loud: true })
      continue
    }
    for (const entry of children) {
      signal.throwIfAborted()
      const child = path.join(at, entry.name)
      if (skip.has(child)) continue
      if (entries === mostEntries) {
        const reason = `not looked at further: ${mostEntries} entries were seen before it`
        return { sightings, leftOut: [...leftOut, { path: at, reason, loud: true }], entries }
      }
      entries += 1
      const odd = oddity(entry)
      if (odd !== undefined) leftOut.push({ path: child, reason: odd, loud: true })
      else if (entry.isDirectory()) {
        if (skippedFolder.test(entry.name)) continue
        sightings.push({ kind: dataFolder.test(entry.name) ? 'data' : 'folder', path: child })
        if (level < levels) queue.push({ at: child, level: level + 1 })
        else leftOut.push({ path: child, reason: 'not looked into: it lies too deep', loud: false })
      } else if (entry.isFile()) {
        const kind = await classifyFile(child, leftOut)
        if (kind !== undefined) sightings.push({ kind, path: child })
      }
    }
  }
  return { sightings, leftOut, entries }
}

async function childrenOf(folder: string, leftOut: LeftOut[] | undefined): Promise<Dirent[]> {
  try {
    const children = await readdir(folder, { withFileTypes: true })
    return children.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    // The folder that was asked for must be readable; one below may be another user's, or gone by now.
    if (leftOut === undefined) throw error
    leftOut.push({ path: folder, reason: `cannot be read: ${reasonOf(error)}`, loud: true })
    return []
  }
}

function oddity(entry: Dirent): string | undefined {
  if (entry.name.includes('\uFFFD')) return 'its name is not valid UTF-8'
  if (!entry.isSymbolicLink()) return undefined
  const worthIt = dataFolder.test(entry.name) || /\.(db|sqlite3?)$/i.test(entry.name)
  return worthIt
    ? 'a symlink, which is not followed: name the place that it leads to, if it holds data'
    : undefined
}
