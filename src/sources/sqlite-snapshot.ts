import { constants } from 'node:fs'
import { open, rm, stat, statfs } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SealiftError, reasonOf, systemCode } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import { readDescriptor } from './descriptor.ts'
import type { Snapshot, SnapshotDescription, SourceContext, SourceMember } from './source.ts'
import { copyDatabase } from './sqlite-process.ts'
import type { SqliteCopy } from './sqlite-process.ts'
import { foreignSidecars, logSize, presentSidecars, sidecarsOf } from './sqlite-sidecars.ts'

export interface SqliteLocation {
  readonly name: string
  readonly path: string
  readonly timeout: number
}

/**
 * A copy of a live database, held only by an open descriptor: its file is unlinked before the first byte is read, with
 * `named` just before, else at once. The live file itself is never opened by this process, only by the child that `copyDatabase` starts.
 */
export async function snapshotDatabase(location: SqliteLocation, context: SourceContext): Promise<Snapshot> {
  const { name, path, timeout } = location
  const live = await statDatabase(name, path)
  const before = await presentSidecars(path)
  await checkSpace(context.scratch, live.size + (await logSize(path)))
  const file = join(context.scratch, `${name}.sqlite-copy`)
  const unlink = async (): Promise<void> => {
    for (const left of [file, ...sidecarsOf(file)]) await rm(left, { force: true })
  }
  let handle: FileHandle | undefined
  try {
    const question = { source: name, path, seconds: timeout, signal: context.signal }
    const copy = await copyDatabase(question, file, context.now)
    const [problem] = copy.exam.problems
    if (problem !== undefined)
      throw new SealiftError('SOURCE_CORRUPT', { source: name, path, reason: problem })
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    const warnings = [
      ...warningsOf(location, copy, live.size),
      ...(await foreignSidecars(name, path, live.uid, before)),
    ]
    const { size } = await handle.stat()
    if (context.named !== true) await unlink()
    const held = { live, size, copy, warnings, unlink }
    const snapshot = heldSnapshot(location, handle, held, context.signal)
    return context.named === true ? { ...snapshot, copy: file } : snapshot
  } catch (error) {
    await handle?.close()
    await unlink()
    throw error
  }
}

interface Held {
  readonly live: { mode: number; uid: number; gid: number; mtimeMs: number }
  readonly size: number
  readonly copy: SqliteCopy
  readonly warnings: readonly Warning[]
  readonly unlink: () => Promise<void>
}

function heldSnapshot(
  location: SqliteLocation,
  handle: FileHandle,
  { live, size, copy, warnings, unlink }: Held,
  signal: AbortSignal,
): Snapshot {
  const member: SourceMember = {
    path: basename(location.path),
    type: 'file',
    size,
    mode: live.mode & 0o7777,
    mtimeMs: live.mtimeMs,
    uid: live.uid,
    gid: live.gid,
    content: () => readCopy(location.name, handle, size, signal),
  }
  return {
    takenAt: copy.takenAt,
    async *members() {
      signal.throwIfAborted()
      await unlink()
      yield member
    },
    describe: (): SnapshotDescription => ({
      facts: copy.exam.facts,
      versions: { sqlite: copy.exam.version },
      rows: copy.exam.rows,
      warnings,
    }),
    async [Symbol.asyncDispose]() {
      await handle.close()
      await unlink()
    },
  }
}

/** The copy is as large as the database with its log, for as long as the snapshot is held. */
async function checkSpace(scratch: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(scratch)
  if (bavail * bsize < needed)
    throw new SealiftError('DISK_FULL', { path: scratch, needed, free: bavail * bsize })
}

async function* readCopy(
  source: string,
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let length = 0
  try {
    for await (const piece of readDescriptor(handle, size, signal)) {
      length += piece.length
      yield piece
    }
  } catch (error) {
    if (signal.aborted || systemCode(error) === undefined) throw error
    throw new SealiftError(
      'SNAPSHOT_FAILED',
      { source, reason: `reading the copy: ${reasonOf(error)}` },
      error,
    )
  }
  if (length !== size) {
    const reason = `the copy has ${length} of its ${size} bytes`
    throw new SealiftError('SNAPSHOT_FAILED', { source, reason })
  }
}

/** What `stat` says of the live file: no descriptor of it is opened. */
export async function statDatabase(
  source: string,
  path: string,
): Promise<{ mode: number; uid: number; gid: number; mtimeMs: number; size: number }> {
  try {
    const found = await stat(path, { bigint: true })
    if (!found.isFile()) {
      const reason = found.isDirectory() ? 'it is a folder' : 'it is not a regular file'
      throw new SealiftError('SOURCE_NOT_SQLITE', { source, path, reason })
    }
    return {
      mode: Number(found.mode),
      uid: Number(found.uid),
      gid: Number(found.gid),
      mtimeMs: Number(found.mtimeNs / 1000n) / 1000,
      size: Number(found.size),
    }
  } catch (error) {
    if (error instanceof SealiftError) throw error
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SealiftError('SOURCE_NOT_FOUND', { source, path }, error)
    }
    throw new SealiftError('SOURCE_UNREADABLE', { source, path, reason: reasonOf(error) }, error)
  }
}

function warningsOf(location: SqliteLocation, { exam, recovered }: SqliteCopy, liveSize: number): Warning[] {
  const { name: source, path } = location
  const warnings: Warning[] = []
  const warn = (code: string, message: string): void => void warnings.push({ source, path, code, message })
  if (liveSize === 0 && Object.keys(exam.rows).length === 0) {
    warn('sqlite-empty', `${path} has 0 bytes: an empty database for SQLite, archived as one`)
  }
  if (recovered) {
    warn('sqlite-recovered', `a writer of ${path} had crashed; its unfinished transaction was rolled back`)
  }
  if (exam.unchecked !== undefined) {
    warn('sqlite-unchecked', `the integrity check of ${path} could not run: ${exam.unchecked}`)
  }
  for (const [table, reason] of Object.entries(exam.uncounted)) {
    warn('sqlite-uncounted', `the rows of table ${table} in ${path} could not be counted: ${reason}`)
  }
  return warnings
}
