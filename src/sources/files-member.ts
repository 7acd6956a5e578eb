import type { BigIntStats } from 'node:fs'
import { readlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { SealiftError, reasonOf, systemCode } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import { fill } from './descriptor.ts'
import type { HardLinks } from './hard-links.ts'
import { printable, whyRefused } from './names.ts'
import type { SourceMember } from './source.ts'
import { openSteady, streamSteady } from './steady-file.ts'
import { lookAgain } from './walk.ts'
import type { Entry } from './walk.ts'

/** How often a path is looked at again when something else lies there by the time it is opened. */
const attempts = 3

const sqliteMagic = Buffer.from('SQLite format 3\0', 'latin1')

/** What became of an entry. */
export interface Prepared {
  /** Absent for what is left out, with a warning. */
  readonly member?: SourceMember
  /** Open until the member has been given out. */
  readonly handle?: FileHandle
  readonly warnings: readonly Warning[]
}

export interface Preparation {
  readonly source: string
  /** The entry is the one file that the source is about: it must not vanish. */
  readonly single: boolean
  /** Where a stream puts what it finds while it is read. */
  readonly warnings: Warning[]
  readonly signal: AbortSignal
}

/** Opens and reads, where it is small, what the walk came by. SOURCE_UNREADABLE and SOURCE_NAME_REFUSED name the path. */
export async function prepare(job: Preparation, links: HardLinks, seen: Entry): Promise<Prepared> {
  let entry: Entry | undefined = seen
  for (let attempt = 1; attempt <= attempts && entry !== undefined; attempt += 1) {
    try {
      const prepared = await prepareAs(job, links, entry)
      if (prepared !== 'replaced') return prepared
    } catch (error) {
      const code = systemCode(error)
      if (error instanceof SealiftError || job.signal.aborted) throw error
      // ELOOP and EINVAL: it became a symlink, or is none any more. ENXIO: it became a socket.
      if (code !== 'ENOENT' && code !== 'ELOOP' && code !== 'EINVAL' && code !== 'ENXIO') {
        throw unreadable(job, seen, error)
      }
    }
    entry = await lookAgain(job.source, entry)
  }
  if (job.single) throw new SealiftError('SOURCE_NOT_FOUND', { source: job.source, path: seen.absolute })
  return { warnings: [warning(job, seen, 'file-vanished', 'was gone before it could be read')] }
}

async function prepareAs(job: Preparation, links: HardLinks, entry: Entry): Promise<Prepared | 'replaced'> {
  const { path, absolute, stat } = entry
  const plain = { path, ...attributes(stat) }
  if (stat.isDirectory()) return { member: { ...plain, type: 'directory' }, warnings: [] }
  if (stat.isSymbolicLink()) {
    return { member: { ...plain, type: 'symlink', link: await readLink(job, absolute) }, warnings: [] }
  }
  if (stat.isFile()) {
    const link = links.earlier(stat)
    if (link !== undefined) return { member: { ...plain, type: 'hardlink', link }, warnings: [] }
    return prepareFile(job, links, entry)
  }
  const kind = stat.isSocket() ? 'socket' : stat.isFIFO() ? 'fifo' : 'device'
  return { warnings: [warning(job, entry, `${kind}-skipped`, `is a ${kind} and is left out`)] }
}

async function prepareFile(job: Preparation, links: HardLinks, entry: Entry): Promise<Prepared | 'replaced'> {
  const { path, absolute } = entry
  const file = await openSteady(absolute, entry.stat)
  if (file === undefined) return 'replaced'
  links.add(file.stat, path)
  const member = { path, type: 'file', ...attributes(file.stat) } as const
  const changed = (how: string): Warning =>
    warning(job, entry, 'file-changed', `changed while it was read: ${how}`)
  if ('bytes' in file) {
    const { bytes } = file
    const warnings = databaseWarnings(job, entry, bytes)
    if (file.changed) warnings.push(changed('read twice, and the second reading may mix old and new content'))
    return { member: { ...member, size: bytes.length, content: () => once(bytes, job.signal) }, warnings }
  }
  const { handle, stat } = file
  try {
    const warnings = databaseWarnings(job, entry, await fill(handle, Buffer.alloc(sqliteMagic.length), 0))
    const mixed = (): void =>
      void job.warnings.push(changed('the copy mixes old and new content, at the size that it began with'))
    const content = (): AsyncIterable<Buffer> =>
      named(job, entry, streamSteady(handle, stat, job.signal, mixed))
    return { member: { ...member, size: Number(stat.size), content }, handle, warnings }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function* once(bytes: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted()
  if (bytes.length > 0) yield bytes
}

/** Names the file in an error of its stream. */
async function* named(job: Preparation, entry: Entry, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pieces
  } catch (error) {
    if (job.signal.aborted || systemCode(error) === undefined) throw error
    throw unreadable(job, entry, error)
  }
}

async function readLink(job: Preparation, absolute: string): Promise<string> {
  const link = await readlink(absolute, { encoding: 'buffer' })
  const refused = whyRefused(job.source, '', link)
  if (refused === undefined) return link.toString('utf8')
  const reason = `its target ${printable(link)}: ${refused}`
  throw new SealiftError('SOURCE_NAME_REFUSED', { source: job.source, path: absolute, reason })
}

export function attributes(stat: BigIntStats): Pick<SourceMember, 'mode' | 'mtimeMs' | 'uid' | 'gid'> {
  return {
    mode: Number(stat.mode) & 0o7777,
    // Whole microseconds: as much as fits a number and a pax header.
    mtimeMs: Number(stat.mtimeNs / 1000n) / 1000,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  }
}

function databaseWarnings(job: Preparation, entry: Entry, start: Buffer): Warning[] {
  if (!start.subarray(0, sqliteMagic.length).equals(sqliteMagic)) return []
  const advice = 'a copy of its file may lose rows; name it as a source of kind sqlite'
  return [warning(job, entry, 'live-database', `is a SQLite database: ${advice}`)]
}

function warning({ source }: Preparation, { absolute }: Entry, code: string, what: string): Warning {
  return { source, path: absolute, code, message: `${absolute} ${what}` }
}

function unreadable({ source }: Preparation, { absolute }: Entry, error: unknown): SealiftError {
  return new SealiftError('SOURCE_UNREADABLE', { source, path: absolute, reason: reasonOf(error) }, error)
}
