import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { SealiftError } from '../errors.ts'
import type { StoredReader, Target } from '../targets/target.ts'
import { archiveRecord } from './archive-record.ts'
import type { Context } from './context.ts'
import type { Examined } from './examine.ts'
import type { ArchiveSummary, BackupResult } from './report.ts'
import type { Run } from './run.ts'
import { named, remember, reported } from './run.ts'

/** A written archive, and where it lies. */
export interface Original {
  readonly app: string
  readonly from: Target
  readonly archive: ArchiveSummary
  readonly examined: Examined | undefined
}

/**
 * Copies a written archive to another target and reads the copy back: size and SHA-256 must be those of the original.
 * A target that fails does not lose the others: its error is its own result, and the run ends not `ok`.
 */
export async function copyArchive(
  ctx: Context,
  run: Run,
  { app, from, archive, examined }: Original,
  to: Target,
): Promise<BackupResult['copies'][number]> {
  try {
    ctx.emit({ type: 'phase', phase: 'copy', label: `copying to ${to.name}` })
    await to.sweep(ctx.signal)
    await using original = await from.open(archive.name, ctx.signal)
    const sent = createHash('sha256')
    await using writer = await to.create(archive.name, { expectedSize: archive.size, signal: ctx.signal })
    await pipeline(hashed(original, sent, ctx.signal), writer.stream, { end: false, signal: ctx.signal })
    const copy = await writer.commit()
    await compare(ctx, to, copy.name, sent.digest('hex'))
    const record = archiveRecord(ctx, app, { ...archive, target: to.name }, examined)
    remember(run, () => {
      ctx.catalog.recordArchive(record)
      // The copy was read back and is the original byte for byte: what was proven of that holds for it.
      if (ctx.catalog.verified(archive.id, from.name) !== undefined)
        ctx.catalog.markVerified({ archive_id: archive.id, target: to.name, at: ctx.now() })
    })
    return { target: to.name, ok: true }
  } catch (error) {
    ctx.signal.throwIfAborted()
    run.fail(named(error))
    return { target: to.name, ok: false, error: reported(error) }
  }
}

async function compare(ctx: Context, target: Target, name: string, sent: string): Promise<void> {
  await using reader = await target.open(name, ctx.signal)
  const received = createHash('sha256')
  for await (const block of reader.stream(ctx.signal)) received.update(block as Buffer)
  if (received.digest('hex') === sent) return
  const reason = `what was read back of ${name} is not what was sent`
  throw new SealiftError('TARGET_UNAVAILABLE', {
    target: target.name,
    operation: 'comparing the copy',
    reason,
  })
}

async function* hashed(reader: StoredReader, hash: Hash, signal: AbortSignal): AsyncIterable<Buffer> {
  for await (const block of reader.stream(signal)) {
    hash.update(block as Buffer)
    yield block as Buffer
  }
}
