import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SealiftError } from '../errors.ts'
import type { StoredReader } from '../targets/target.ts'
import { chooseArchive, refuseLater } from './archive-choice.ts'
import type { Context } from './context.ts'
import { found } from './found-archive.ts'
import type { ArchiveInput, FoundArchive } from './found-archive.ts'
import { openSpool } from './spool.ts'

export type { ArchiveInput, FoundArchive }

/**
 * Finds and opens an archive. ARCHIVE_NOT_FOUND, ARCHIVE_AMBIGUOUS, ARCHIVE_LATER; what comes from standard input is
 * first kept, still sealed, in an unlinked file of the state folder, because it is read more than once.
 */
export async function findArchive(ctx: Context, input: ArchiveInput): Promise<FoundArchive> {
  const archive = await find(ctx, input)
  const { before } = input
  if (before !== undefined && input.archive !== 'latest') await refuseLater(ctx, input, before, archive)
  return archive
}

async function find(ctx: Context, input: ArchiveInput): Promise<FoundArchive> {
  const wanted = input.archive
  if (wanted === '-') return found(await spooled(ctx), 'standard input', 'stdin')
  if (wanted.includes('/')) return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
  const places = [...(input.application?.targets ?? []), ...((await input.from?.()) ?? [])]
  if (places.length > 0) return chooseArchive(ctx, input, places)
  if (wanted !== 'latest') return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
  const where = 'any target: there is no configuration, and no --from names a folder'
  throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where })
}

async function spooled(ctx: Context): Promise<StoredReader> {
  const spool = await openSpool(ctx)
  try {
    ctx.emit({ type: 'phase', phase: 'fetch', label: 'reading standard input' })
    await pipeline(ctx.stdin(), spool.stream, { signal: ctx.signal })
    const reader = await spool.reader('standard input')
    return { ...reader, [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose]() }
  } catch (error) {
    await spool[Symbol.asyncDispose]()
    throw error
  }
}
