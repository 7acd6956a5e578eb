import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { SealiftError } from '../errors.ts'
import type { StoredReader, Target } from '../targets/target.ts'
import { archiveRecord } from './archive-record.ts'
import type { Context } from './context.ts'
import type { Examined } from './examine.ts'
import type { ArchiveSummary } from './report.ts'
import type { Run } from './run.ts'
import { remember } from './run.ts'

/** A written archive, and where it lies. */
export interface Original {
  readonly app: string
  readonly from: Target
  readonly archive: ArchiveSummary
  readonly examined: Examined | undefined
  /** SHA-256 of the bytes that were read back and verified, lower-case hex. */
  readonly verified?: string
}

/**
 * Copies a written archive to another target and reads the copy back: size and SHA-256 must be those of the original. A
 * copy of the very bytes that were verified is `verified`, too; any other is `compared`. One that differs is removed: the
 * next restore must not find it.
 */
export async function copyArchive(
  ctx: Context,
  run: Run,
  { app, from, archive, examined, verified }: Original,
  to: Target,
): Promise<'compared' | 'verified'> {
  ctx.emit({ type: 'phase', phase: 'copy', label: `copying to ${to.name}` })
  await to.sweep(ctx.signal)
  await using original = await from.open(archive.name, ctx.signal)
  const sent = createHash('sha256')
  await using writer = await to.create(archive.name, { expectedSize: archive.size, signal: ctx.signal })
  await pipeline(hashed(original, sent, ctx.signal), writer.stream, { end: false, signal: ctx.signal })
  const sum = sent.digest('hex')
  if (verified !== undefined && sum !== verified) {
    throw differing(from, 'reading the original', `${archive.name} changed since it was verified`)
  }
  const copy = await writer.commit()
  await compare(ctx, to, copy.name, sum)
  const record = archiveRecord(ctx, app, { ...archive, target: to.name }, examined)
  remember(run, () => ctx.catalog.recordArchive(record))
  if (verified === undefined) return 'compared'
  remember(run, () => ctx.catalog.markVerified({ archive_id: archive.id, target: to.name, at: ctx.now() }))
  return 'verified'
}

async function compare(ctx: Context, target: Target, name: string, sent: string): Promise<void> {
  if ((await sumOf(ctx, target, name)) === sent) return
  await target.remove(name, ctx.signal)
  throw differing(
    target,
    'comparing the copy',
    `what was read back of ${name} is not what was sent; it was removed`,
  )
}

async function sumOf(ctx: Context, target: Target, name: string): Promise<string> {
  await using reader = await target.open(name, ctx.signal)
  const received = createHash('sha256')
  for await (const block of reader.stream(ctx.signal)) received.update(block as Buffer)
  return received.digest('hex')
}

function differing(target: Target, operation: string, reason: string): SealiftError {
  return new SealiftError('TARGET_UNAVAILABLE', { target: target.name, operation, reason })
}

/** The content of an archive, counted into a hash on its way. */
export async function* hashed(reader: StoredReader, hash: Hash, signal: AbortSignal): AsyncIterable<Buffer> {
  for await (const block of reader.stream(signal)) {
    hash.update(block as Buffer)
    yield block as Buffer
  }
}
