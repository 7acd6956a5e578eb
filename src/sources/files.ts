import { statSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { SealiftError, reasonOf, systemCode } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import { compareFiles } from './files-compare.ts'
import { checkTree } from './files-check.ts'
import { attributes } from './files-member.ts'
import { snapshotFiles } from './files-snapshot.ts'
import { globs } from './globs.ts'
import type { Source, SourceContext, SourceDriver } from './source.ts'
import { walk } from './walk.ts'
import type { Entry } from './walk.ts'

const patterns = z.array(z.string().min(1))

/** What stands in sealift.yaml beside `name` and `kind: files`. */
export const filesOptions = z.strictObject({
  path: z.string().min(1).describe('A folder, or a single file'),
  include: patterns
    .min(1)
    .optional()
    .describe('Glob patterns: only what matches, and the folders on the way to it'),
  exclude: patterns
    .optional()
    .describe('Glob patterns: what matches is left out, a folder with all that is in it'),
})

export interface FilesOptions {
  /** Absolute: a folder, or a single file. A symlink is followed here, and nowhere below. */
  readonly path: string
  /** Only what matches, and the folders that lead there. See `globs` for the patterns. */
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}

/**
 * Files as they lie on disk: folders (also empty ones), symlinks, hard links, modes, owners, times. Sockets, FIFOs and
 * devices are left out with a warning, names that are not UTF-8 are refused, mount points are crossed. Each file is
 * steady in itself; a tree that changes is not of one moment.
 */
export const files: SourceDriver<FilesOptions> = {
  kind: 'files',
  open: openFiles,
  checkRestored: checkTree,
  staleSidecars: () => [],
}

function openFiles(name: string, options: FilesOptions): Source {
  const { path } = options
  return {
    name,
    kind: 'files',
    get place() {
      return { path, type: isFile(path) ? 'file' : 'directory' } as const
    },
    claims: () => [],
    async estimate(signal, claimed = new Set()) {
      const { entries } = await begin(name, options, { signal, claimed })
      let bytes = 0n
      for await (const entry of entries) if (entry.stat.isFile()) bytes += entry.stat.size
      return Number(bytes)
    },
    async snapshot(context) {
      const beginning = await begin(name, options, context)
      const single = beginning.root === undefined
      const takenAt = context.now()
      return snapshotFiles({ ...beginning, source: name, single, takenAt, signal: context.signal })
    },
    spotCheck: (sample, recorded, context) => compareFiles(name, path, sample, recorded, context.signal),
  }
}

interface Beginning {
  readonly entries: AsyncIterable<Entry>
  readonly root: ReturnType<typeof attributes> | undefined
  readonly warnings: Warning[]
}

async function begin(
  source: string,
  options: FilesOptions,
  context: Pick<SourceContext, 'signal' | 'claimed'>,
): Promise<Beginning> {
  const { signal, claimed } = context
  const { path } = options
  signal.throwIfAborted()
  const { real, found } = await lookAtRoot(source, path)
  const warnings: Warning[] = []
  const vanished = (gone: string): void => {
    const absolute = `${real}/${gone}`
    const message = `${absolute} was gone before it could be read`
    warnings.push({ source, path: absolute, code: 'file-vanished', message })
  }
  if (found.isDirectory()) {
    const entries = walk({
      source,
      root: real,
      include: globs(options.include ?? []),
      exclude: globs(options.exclude ?? []),
      claimed,
      signal,
      vanished,
    })
    return { entries, root: attributes(found), warnings }
  }
  if (!found.isFile()) {
    const reason = 'it is neither a folder nor a regular file'
    throw new SealiftError('SOURCE_UNREADABLE', { source, path, reason })
  }
  if (claimed.has(path) || claimed.has(real)) {
    const message = `${path} is a database that another source backs up, and is left out`
    warnings.push({ source, path, code: 'claimed', message })
    return { entries: only([]), root: undefined, warnings }
  }
  const entry = { path: basename(path), absolute: real, stat: found }
  return { entries: only([entry]), root: undefined, warnings }
}

async function lookAtRoot(source: string, path: string): Promise<{ real: string; found: BigIntStats }> {
  try {
    const real = await realpath(path)
    return { real, found: await stat(real, { bigint: true }) }
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SealiftError('SOURCE_NOT_FOUND', { source, path }, error)
    }
    throw new SealiftError('SOURCE_UNREADABLE', { source, path, reason: reasonOf(error) }, error)
  }
}

async function* only(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries
}

/** What is not there, or cannot be looked at, passes for a folder: a snapshot says what is wrong with it. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}
