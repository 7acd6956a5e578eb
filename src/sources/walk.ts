import type { BigIntStats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { SealiftError, reasonOf, systemCode } from '../errors.ts'
import type { Globs } from './globs.ts'
import { longestPath, printable, whyRefused } from './names.ts'

/** Something that the walk came by: `path` relative to the root, `absolute` where it lies. */
export interface Entry {
  readonly path: string
  readonly absolute: string
  readonly stat: BigIntStats
}

export interface Walk {
  /** The source's name, for errors. */
  readonly source: string
  /** A folder: absolute, with no symlink in it. */
  readonly root: string
  readonly include: Globs
  readonly exclude: Globs
  /** Absolute paths that are passed over without a look at them. */
  readonly claimed: ReadonlySet<string>
  readonly signal: AbortSignal
  /** Told of every path that was there when its folder was read, and then no more. */
  readonly vanished: (path: string) => void
}

/** How many names are looked at at a time. */
const batch = 64

interface Level {
  readonly path: string
  readonly names: Buffer[]
  /** Entries looked at ahead, in reverse order. */
  ready: Entry[]
  /** The whole folder is included, not only what matches in it. */
  readonly included: boolean
  /** The folder's own entry, until it has been given out. */
  folder: Entry | undefined
}

/**
 * What is in a tree, in byte order of the names, a folder before what is in it; the root itself is not given out.
 * With `include`, only what matches, what is in a matching folder, and the folders on the way there. An excluded
 * folder is not entered. Symlinks are not followed, mount points are. Memory grows with the names of the folders on
 * one path, not with the tree. SOURCE_UNREADABLE and SOURCE_NAME_REFUSED name the path.
 */
export async function* walk(options: Walk): AsyncGenerator<Entry> {
  const everything = options.include.empty
  const top = await enter(options, '', everything, undefined)
  const levels: Level[] = top === undefined ? [] : [top]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    options.signal.throwIfAborted()
    const entry = level.ready.pop()
    if (entry === undefined) {
      if (level.names.length === 0) levels.pop()
      else level.ready = await look(options, level)
      continue
    }
    const folder = entry.stat.isDirectory()
    const included = level.included || options.include.matches(entry.path, folder)
    const inside = folder ? await enter(options, entry.path, included, entry) : undefined
    if (included && (inside !== undefined || !folder)) {
      for (const outer of levels) {
        if (outer.folder !== undefined) yield outer.folder
        outer.folder = undefined
      }
      yield entry
      if (inside !== undefined) inside.folder = undefined
    }
    if (inside !== undefined) levels.push(inside)
  }
}

/** Reads a folder's names; `undefined` if it is gone. */
async function enter(
  options: Walk,
  path: string,
  included: boolean,
  folder: Entry | undefined,
): Promise<Level | undefined> {
  const absolute = join(options.root, path)
  try {
    const names = await readdir(absolute, { encoding: 'buffer' })
    // Reversed, because they are taken from the end.
    return { path, names: names.sort((a, b) => Buffer.compare(b, a)), ready: [], included, folder }
  } catch (error) {
    return gone(options, path, absolute, error)
  }
}

/** Looks at the next names of a folder, several at a time. */
async function look(options: Walk, level: Level): Promise<Entry[]> {
  const names = level.names.splice(-batch)
  const found = await Promise.all(names.map((name) => lookAt(options, level.path, name)))
  return found.filter((entry) => entry !== undefined)
}

async function lookAt(options: Walk, folder: string, name: Buffer): Promise<Entry | undefined> {
  const { source, root, exclude, claimed } = options
  const path = join(folder, name.toString('utf8'))
  const absolute = join(root, path)
  if (exclude.matches(path, false) || claimed.has(absolute)) return undefined
  const refused = whyRefused(source, path, name)
  if (refused !== undefined) {
    if (exclude.matches(path, true)) return undefined
    const shown = join(join(root, folder), printable(name))
    throw new SealiftError('SOURCE_NAME_REFUSED', { source, path: shown, reason: refused })
  }
  try {
    const stat = await lstat(absolute, { bigint: true })
    return stat.isDirectory() && exclude.matches(path, true) ? undefined : { path, absolute, stat }
  } catch (error) {
    return gone(options, path, absolute, error)
  }
}

/** What lies at an entry's path now; `undefined` if nothing does. */
export async function lookAgain(source: string, entry: Entry): Promise<Entry | undefined> {
  const { path, absolute } = entry
  try {
    return { path, absolute, stat: await lstat(absolute, { bigint: true }) }
  } catch (error) {
    return gone({ source, vanished: () => undefined }, path, absolute, error)
  }
}

function gone(
  options: Pick<Walk, 'source' | 'vanished'>,
  path: string,
  absolute: string,
  error: unknown,
): undefined {
  const { source } = options
  const code = systemCode(error)
  if ((code === 'ENOENT' || code === 'ENOTDIR') && path !== '') {
    options.vanished(path)
    return
  }
  if (code === 'ENAMETOOLONG') {
    const reason = `with its folder it is longer than ${longestPath} bytes`
    throw new SealiftError('SOURCE_NAME_REFUSED', { source, path: absolute, reason }, error)
  }
  throw new SealiftError('SOURCE_UNREADABLE', { source, path: absolute, reason: reasonOf(error) }, error)
}

function join(folder: string, name: string): string {
  return folder === '' || name === '' ? folder + name : `${folder === '/' ? '' : folder}/${name}`
}
