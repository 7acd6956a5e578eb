import { SealiftError } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import { prepare } from './files-member.ts'
import type { Prepared } from './files-member.ts'
import { Tally } from './files-tally.ts'
import { HardLinks } from './hard-links.ts'
import { inOrder } from './in-order.ts'
import type { Snapshot, SourceMember } from './source.ts'
import type { Entry } from './walk.ts'

/** How many small files are opened and read ahead, and how small they are: at most 16 MiB wait in memory. */
const width = 16
const earlySize = 1024n * 1024n
export interface FilesJob {
  readonly source: string
  readonly entries: AsyncIterable<Entry>
  /** The entry is the one file that the source is about: it must not vanish. */
  readonly single: boolean
  readonly takenAt: Date
  readonly root: Snapshot['root']
  /** Filled by the walk too. */
  readonly warnings: Warning[]
  readonly signal: AbortSignal
}

/**
 * A tree as it is read, one file after another: each file is steady in itself (or a warning says that it is not), the
 * tree as a whole is not of one moment.
 */
export function snapshotFiles(job: FilesJob): Snapshot {
  const { takenAt, root, warnings } = job
  const tally = new Tally()
  const members = giveOut(job, tally)
  let disposed = false
  return {
    takenAt,
    ...(root === undefined ? {} : { root }),
    async *members() {
      yield* members
      // An end that comes from the disposal is no success.
      if (disposed) throw new SealiftError('BUG', { reason: 'a snapshot was read after it was disposed of' })
    },
    describe: () => ({ facts: tally.facts(), versions: {}, warnings }),
    async [Symbol.asyncDispose]() {
      disposed = true
      await members.return(undefined)
    },
  }
}

async function* giveOut(job: FilesJob, tally: Tally): AsyncGenerator<SourceMember, void, undefined> {
  const links = new HardLinks()
  const early = ({ stat }: Entry): boolean => !stat.isFile() || (stat.nlink === 1n && stat.size <= earlySize)
  const work = (entry: Entry): Promise<Prepared> => prepare(job, links, entry)
  const discard = async ({ handle }: Prepared): Promise<void> => handle?.close()
  for await (const { member, handle, warnings } of inOrder(job.entries, width, early, work, discard)) {
    job.warnings.push(...warnings)
    try {
      job.signal.throwIfAborted()
      if (member === undefined) continue
      tally.count(member)
      yield member
    } finally {
      await handle?.close()
    }
  }
}
