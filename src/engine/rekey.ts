import type { ArchiveHeader, OpenKey, SlotKey } from '../archive/index.ts'
import { openFile, rekey as rekeyArchive } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { StoredWriter } from '../targets/target.ts'
import type { ArchiveInput, FoundArchive } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import { formatOf } from './foreign-open.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'
import type { Workplace } from './workplace.ts'
import { enterWorkplace } from './workplace.ts'

export interface RekeyInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  readonly add: () => Promise<readonly SlotKey[]>
  /** Slot numbers as `inspect` shows them. */
  readonly remove: readonly number[]
  /** Also remove the slot that the given key opened: what changing a passphrase is. */
  readonly removeOpened?: boolean
}

export interface RekeyResult {
  readonly name: string
  readonly header: ArchiveHeader
}

/**
 * Adds, removes or changes key slots: a new header around the same chunks. The archive stays whole under its name until
 * the new one is complete and durable. Who had the old passphrase and a copy of the old file can still open that copy.
 */
export async function rekey(ctx: Context, input: RekeyInput): Promise<Report<RekeyResult>> {
  return runVerb(ctx, 'rekey', async () => {
    // Of two runs at once, one would lose the other's slot; a prune could have its removal undone.
    await using _workplace = await lockOf(ctx, input)
    await using found = await findArchive(ctx, input)
    const format = await formatOf(ctx, found.reader, found.name)
    if (format !== undefined) {
      const reason = `${found.name} is an archive of ${format.name}, which has no slots: decrypt it and encrypt it again`
      throw new SealiftError('USAGE', { reason })
    }
    const keys = await input.keys()
    const options = { signal: ctx.signal, name: found.name }
    const { slot, key } = await openFile(found.reader, keys, options)
    const remove = input.removeOpened === true ? [...new Set([...input.remove, slot])] : input.remove
    const add = await input.add()
    if (add.length === 0 && remove.length === 0) {
      throw new SealiftError('USAGE', { reason: 'nothing to change: name a slot to add or to remove' })
    }
    ctx.emit({ type: 'phase', phase: 'rekey', label: `a new header for ${found.name}` })
    await using writer = await replacementOf(ctx, found)
    const header = await rekeyArchive(
      found.reader,
      writer.stream,
      [key],
      { add, remove },
      { ...options, random: ctx.random },
    )
    await writer.commit()
    return { name: found.name, header }
  })
}

/** The lock of the application whose target holds the archive. A file given by its path belongs to nobody. */
async function lockOf(ctx: Context, { archive, application }: RekeyInput): Promise<Workplace | undefined> {
  if (application === undefined || archive === '-' || archive.includes('/')) return undefined
  return enterWorkplace(ctx, application.app, 'rekey')
}

async function replacementOf(ctx: Context, found: FoundArchive): Promise<StoredWriter> {
  const options = { expectedSize: found.reader.size + 8192, signal: ctx.signal }
  if (found.target !== undefined) return found.target.replace(found.name, options)
  if (found.targetName === 'file') return ctx.replacePath(found.name, options)
  throw new SealiftError('USAGE', { reason: 'standard input cannot be changed in place; name the archive' })
}
