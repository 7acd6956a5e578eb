import { lstat } from 'node:fs/promises'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ArchiveFile, OpenKey } from '../archive/index.ts'
import { openFile } from '../archive/index.ts'
import { SealiftError, systemCode } from '../errors.ts'
import type { IndexEntry } from '../member.ts'
import type { ArchiveInput } from './archive-ref.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { planDestinations } from './destinations.ts'
import { goLive } from './go-live.ts'
import { Meter } from './meter.ts'
import { openArchive } from './open-archive.ts'
import { extractName } from './recover.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'
import { runVerb } from './run.ts'
import { checkSymlink, StagedTree } from './staged-tree.ts'
import { unitOf } from './units.ts'
import { enterWorkplace } from './workplace.ts'

export interface ExtractInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  /** Members by their path in the archive; a folder brings what is in it. */
  readonly paths: readonly string[]
  /** The folder they go to, each under its own path; or a stream, for the content of one file. */
  readonly to: string | Writable
  readonly allowOutsideLinks?: boolean
}

export interface ExtractResult {
  readonly name: string
  readonly members: number
  readonly bytes: number
}

/**
 * Takes single members out of an archive, reading only the index and the chunks that hold them. What was read passed
 * its tags and its SHA-256; the rest of the archive was not looked at. Nothing that exists is overwritten.
 */
export async function extract(ctx: Context, input: ExtractInput): Promise<Report<ExtractResult>> {
  return runVerb(ctx, 'extract', async (run) => {
    await using found = await openArchive(ctx, input)
    const file = await openFile(found.reader, found.keys, { signal: ctx.signal, name: found.name })
    const wanted = await select(file, input.paths)
    const { to } = input
    const written =
      typeof to === 'string'
        ? await toFolder(ctx, run, file, wanted, to, input)
        : await toStream(file, wanted, to)
    return { name: found.name, ...written }
  })
}

/** The entries at and under the given paths, in tar order. MEMBER_NOT_FOUND for a path that selects nothing. */
async function select(file: ArchiveFile, paths: readonly string[]): Promise<IndexEntry[]> {
  const clean = paths.map((wanted) => wanted.replace(/\/+$/, ''))
  const missing = new Set(clean)
  const entries: IndexEntry[] = []
  for await (const entry of file.index()) {
    const by = clean.filter((wanted) => entry.path === wanted || entry.path.startsWith(`${wanted}/`))
    if (by.length === 0) continue
    entries.push(entry)
    for (const wanted of by) missing.delete(wanted)
  }
  for (const wanted of missing) throw new SealiftError('MEMBER_NOT_FOUND', { path: wanted })
  return entries
}

async function toStream(
  file: ArchiveFile,
  entries: readonly IndexEntry[],
  out: Writable,
): Promise<{ members: number; bytes: number }> {
  const [entry, ...others] = entries
  if (entry?.type !== 'file' || others.length > 0) {
    throw new SealiftError('USAGE', { reason: 'standard output takes the content of exactly one file' })
  }
  await pipeline(file.content(entry), out)
  return { members: 1, bytes: entry.size }
}

async function toFolder(
  ctx: Context,
  run: Run,
  file: ArchiveFile,
  entries: readonly IndexEntry[],
  folder: string,
  input: ExtractInput,
): Promise<{ members: number; bytes: number }> {
  const base = path.resolve(folder)
  const units = topmost(entries).map((prefix) => ({ prefix, destination: path.join(base, prefix) }))
  for (const { destination } of units) await refuseSymlinkedParents(base, destination)
  await using _workplace = await enterWorkplace(ctx, extractName, 'extract')
  const destinations = await planDestinations(ctx, run.id, units)
  const taken = destinations.filter(({ standing }) => standing.kind !== 'nothing').map((d) => d.destination)
  if (taken.length > 0)
    throw new SealiftError('DESTINATION_REFUSED', { path: taken.join(', '), reason: 'it exists already' })
  const tree = new StagedTree()
  await goLive(ctx, run, extractName, destinations, {
    stage: () => stage(ctx, tree, file, entries, destinations, input.allowOutsideLinks === true),
    approve: () => Promise.resolve(destinations),
    attributesOf: () => undefined,
    sidecars: () => [],
  })
  return { members: entries.length, bytes: tree.bytes }
}

async function stage(
  ctx: Context,
  tree: StagedTree,
  file: ArchiveFile,
  entries: readonly IndexEntry[],
  destinations: readonly Destination[],
  allowOutsideLinks: boolean,
): Promise<void> {
  const total = entries.reduce((sum, entry) => sum + entry.size, 0)
  const meter = new Meter(ctx, 'restore', 'extracting', total)
  const stagedAt = new Map<string, string>()
  try {
    for (const entry of entries) {
      const destination = unitOf(destinations, entry.path)
      if (destination === undefined) continue
      ctx.signal.throwIfAborted()
      const at = path.join(destination.staged, entry.path.slice(destination.prefix.length))
      if (entry.type === 'symlink' && !allowOutsideLinks) checkSymlink(entry.path, entry.link ?? '')
      const original = entry.type === 'hardlink' ? stagedAt.get(entry.link ?? '') : undefined
      if (original !== undefined) await tree.putLink(at, original)
      else if (entry.type === 'hardlink') await putOriginal(tree, at, entry, file)
      else await tree.put(at, entry, entry.type === 'file' ? meter.count(file.content(entry)) : undefined)
      if (entry.type === 'file') stagedAt.set(entry.path, at)
    }
    await tree.finish()
  } finally {
    await tree.abandon()
  }
}

/** A hard link whose original is not among what is restored becomes a file of its own. */
export async function putOriginal(
  tree: StagedTree,
  at: string,
  member: Parameters<StagedTree['put']>[1],
  file: ArchiveFile,
): Promise<void> {
  for await (const entry of file.index()) {
    if (entry.path !== member.link) continue
    await tree.put(at, { ...member, type: 'file', size: entry.size }, file.content(entry))
    return
  }
  throw new SealiftError('MEMBER_NOT_FOUND', { path: member.link ?? '' })
}

/** The selected paths that lie under no other selected path. */
function topmost(entries: readonly IndexEntry[]): string[] {
  const paths = new Set(entries.map((entry) => entry.path))
  return [...paths].filter((candidate) => {
    for (let at = path.posix.dirname(candidate); at !== '.'; at = path.posix.dirname(at))
      if (paths.has(at)) return false
    return true
  })
}

/** Never write through a symlink that is found at the destination (archive-v1 §5). */
async function refuseSymlinkedParents(base: string, destination: string): Promise<void> {
  for (let at = path.dirname(destination); at.length > base.length; at = path.dirname(at)) {
    try {
      if (!(await lstat(at)).isSymbolicLink()) continue
      throw new SealiftError('DESTINATION_REFUSED', { path: destination, reason: `${at} is a symlink` })
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
}
