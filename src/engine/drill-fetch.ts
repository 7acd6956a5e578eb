import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { SealiftError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import type { Context } from './context.ts'
import { checkRoom } from './drill-scratch.ts'
import { Meter } from './meter.ts'
import type { ArchiveSummary } from './report.ts'

/**
 * Fetches an archive, sealed as it is, through its target's driver into a folder, and returns its path there. Nothing
 * is believed of it: what it holds is proven when it is opened.
 */
export async function fetchArchive(
  ctx: Context,
  target: Target,
  archive: ArchiveSummary,
  scratch: string,
): Promise<string> {
  await checkRoom(scratch, archive.size)
  const folder = path.join(scratch, 'fetched')
  await mkdir(folder, { mode: 0o700 })
  const file = path.join(folder, archive.name)
  await using reader = await target.open(archive.name, ctx.signal)
  const meter = new Meter(ctx, 'fetch', `fetching ${archive.name} from ${target.name}`, reader.size)
  let bytes = 0
  async function* counted(): AsyncIterable<Buffer> {
    for await (const block of reader.stream(ctx.signal)) {
      bytes += (block as Buffer).length
      meter.add((block as Buffer).length)
      yield block as Buffer
    }
  }
  await pipeline(counted(), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal: ctx.signal })
  if (bytes === reader.size) return file
  const reason = `${bytes} of ${reader.size} bytes came of ${archive.name}`
  throw new SealiftError('TARGET_UNAVAILABLE', { target: target.name, operation: 'reading', reason })
}
