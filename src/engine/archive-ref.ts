import { open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { addAbortSignal } from 'node:stream'
import { SealiftError } from '../errors.ts'
import type { StoredReader } from '../targets/target.ts'
import { chooseArchive, refuseLater } from './archive-choice.ts'
import type { Context } from './context.ts'
import { found } from './found-archive.ts'
import type { ArchiveInput, FoundArchive } from './found-archive.ts'
import { privateFolder } from './private-folder.ts'

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
  if (wanted === '-') return found(await spool(ctx), 'standard input', 'stdin')
  if (wanted.includes('/')) return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
  const places = [...(input.application?.targets ?? []), ...((await input.from?.()) ?? [])]
  if (places.length > 0) return chooseArchive(ctx, input, places)
  if (wanted !== 'latest') return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
  const where = 'any target: there is no configuration, and no --from names a folder'
  throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where })
}

async function spool(ctx: Context): Promise<StoredReader> {
  const folder = await privateFolder(path.join(ctx.stateDir, 'incoming'))
  const file = path.join(folder, `${ctx.random(8).toString('hex')}.part`)
  const handle = await open(file, 'ax+', 0o600)
  await unlink(file)
  try {
    ctx.emit({ type: 'phase', phase: 'fetch', label: 'reading standard input' })
    for await (const block of addAbortSignal(ctx.signal, ctx.stdin())) {
      await handle.appendFile(block as Buffer)
    }
    const { size } = await handle.stat()
    return {
      name: 'standard input',
      size,
      async read(offset, length) {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
        return buffer.subarray(0, bytesRead)
      },
      stream(signal) {
        const options = { start: 0, autoClose: false, highWaterMark: 1 << 20, ...(signal && { signal }) }
        // As with every reader: who reads hears of an error, and without one it must end nothing else.
        return handle.createReadStream(options).on('error', () => undefined)
      },
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
