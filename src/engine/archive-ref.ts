import { open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { addAbortSignal } from 'node:stream'
import { SealiftError } from '../errors.ts'
import type { StoredReader, Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import { privateFolder } from './private-folder.ts'

/** How a person names an archive: `latest`, an id or its first digits, a name, a path, or `-` for standard input. */
export interface ArchiveInput {
  readonly archive: string
  readonly application?: Application
}

/** A found archive, open for reading; whoever asked closes it. `target` is absent for a path or standard input. */
export interface FoundArchive extends AsyncDisposable {
  readonly reader: StoredReader
  readonly name: string
  readonly target?: Target
  /** How reports name where it was found: the target's name, `file` or `stdin`. */
  readonly targetName: string
}

/**
 * Finds and opens an archive. ARCHIVE_NOT_FOUND, ARCHIVE_AMBIGUOUS; what comes from standard input is first kept, still
 * sealed, in an unlinked file of the state folder, because it is read more than once.
 */
export async function findArchive(ctx: Context, input: ArchiveInput): Promise<FoundArchive> {
  const wanted = input.archive
  if (wanted === '-') return found(await spool(ctx), 'standard input', 'stdin')
  if (wanted.includes('/')) return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
  if (input.application === undefined) {
    if (wanted !== 'latest') return found(await ctx.openPath(path.resolve(wanted)), wanted, 'file')
    throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where: 'any target: there is no configuration' })
  }
  return findAtTargets(ctx, wanted, input.application)
}

async function findAtTargets(ctx: Context, wanted: string, application: Application): Promise<FoundArchive> {
  const { archives, unavailable } = await readInventory(ctx, application.targets, application)
  for (const { target, error } of unavailable) {
    ctx.emit({
      type: 'warning',
      code: 'target-unavailable',
      message: `${target} was not looked at: ${error.message}`,
    })
  }
  const digits = /^[0-9a-f]{4,32}$/.test(wanted) ? wanted : undefined
  const matches = archives.filter(
    (a) => wanted === 'latest' || a.name === wanted || (digits !== undefined && a.id.startsWith(digits)),
  )
  const ids = new Set(matches.map((a) => a.id))
  const [first] = matches
  const where = application.targets.map((t) => `${t.name} (${t.location})`).join(', ')
  if (first === undefined) throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where })
  if (wanted !== 'latest' && ids.size > 1) {
    throw new SealiftError('ARCHIVE_AMBIGUOUS', {
      wanted,
      matches: matches.map((a) => `${a.name} (${a.id})`),
    })
  }
  const target = application.targets.find((t) => t.name === first.target)
  if (target === undefined) throw new SealiftError('BUG', { reason: `no target ${first.target}` })
  return found(await target.open(first.name, ctx.signal), first.name, target.name, target)
}

function found(reader: StoredReader, name: string, targetName: string, target?: Target): FoundArchive {
  return {
    reader,
    name,
    targetName,
    ...(target === undefined ? {} : { target }),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
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
