import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { OpenKey } from '../archive/index.ts'
import { unseal as unsealArchive } from '../archive/index.ts'
import type { Secret } from '../secret.ts'
import type { ArchiveInput } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import { writePlain } from './foreign-plain.ts'
import { Meter } from './meter.ts'
import { formatOf, withPassphrase } from './foreign-open.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'

export interface UnsealInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  /** Where the `.tar.zst` or `.tar.gz` goes; ended when all of it was written. */
  readonly out: Writable
}

export interface UnsealResult {
  readonly name: string
  readonly bytes: number
}

/**
 * Takes the seal off: a plain `.tar.zst` that `zstd -d | tar x` opens, or the `.tar.gz` in an archive of gpg. No byte of
 * a chunk leaves before its tag held, and none of a foreign archive before the whole was authentic.
 */
export async function unseal(ctx: Context, input: UnsealInput): Promise<Report<UnsealResult>> {
  return runVerb(ctx, 'unseal', async () => {
    await using found = await findArchive(ctx, input)
    const format = await formatOf(ctx, found.reader, found.name)
    const keys = await input.keys()
    if (format !== undefined) {
      const { reader, name } = found
      const work = (passphrase: Secret) => writePlain(ctx, { reader, name, format }, passphrase, input.out)
      return { name, bytes: await withPassphrase(name, format, keys, work) }
    }
    const meter = new Meter(ctx, 'fetch', `unsealing ${found.name}`, found.reader.size)
    let bytes = 0
    const plain = unsealArchive(found.reader.stream(ctx.signal), keys, {
      signal: ctx.signal,
      name: found.name,
    })
    async function* counted(): AsyncIterable<Buffer> {
      for await (const block of plain) {
        bytes += block.length
        meter.add(block.length)
        yield block
      }
    }
    await pipeline(counted(), input.out, { signal: ctx.signal })
    return { name: found.name, bytes }
  })
}
