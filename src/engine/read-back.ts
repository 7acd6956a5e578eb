import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { OpenKey } from '../archive/index.ts'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { StoredReader, Target } from '../targets/target.ts'
import type { Context } from './context.ts'
import { hashed } from './copy.ts'
import type { ArchiveSummary } from './report.ts'
import type { Run } from './run.ts'
import { remember } from './run.ts'
import { markVerified, verifyArchive } from './verify.ts'

/**
 * Verifies an archive that was just written, and returns the SHA-256 of what was read, lower-case hex: whatever has the
 * same bytes is verified as well. An archive that is damaged at its first reading is removed, so that no restore finds
 * it, and that is a failure of the target: TARGET_UNAVAILABLE.
 */
export async function readBack(
  ctx: Context,
  run: Run,
  target: Target,
  { id, name }: ArchiveSummary,
  keys: readonly OpenKey[],
): Promise<string> {
  const hash = createHash('sha256')
  try {
    await using reader = await target.open(name, ctx.signal)
    const stream = (signal?: AbortSignal): Readable =>
      Readable.from(hashed(reader, hash, signal ?? ctx.signal), { objectMode: false })
    const tapped: StoredReader = {
      name: reader.name,
      size: reader.size,
      read: (offset, length) => reader.read(offset, length),
      stream,
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    }
    await verifyArchive(ctx, tapped, name, keys)
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!isSealiftError(error) || error.kind !== 'integrity') throw error
    await target.remove(name, ctx.signal)
    remember(run, () => ctx.catalog.forget(id, target.name))
    const reason = `what was read back of ${name} is not what was written (${error.message}); it was removed`
    const data = { target: target.name, operation: 'reading the archive back', reason }
    throw new SealiftError('TARGET_UNAVAILABLE', data, error)
  }
  markVerified(ctx, run, id, target.name)
  return hash.digest('hex')
}
