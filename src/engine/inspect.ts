import type { ArchiveHeader } from '../archive/index.ts'
import { inspectHeader } from '../archive/index.ts'
import type { Facts } from '../manifest.ts'
import type { ArchiveInput } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import { formatOf } from './foreign-open.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'

export interface InspectResult {
  readonly name: string
  readonly size: number
  /** Of an archive of Sealift's own. */
  readonly header?: ArchiveHeader
  /** Of an archive of another program: its format, and what that says in the clear. */
  readonly foreign?: { readonly format: string; readonly facts: Facts }
}

/**
 * What anyone can see of an archive: its header (archive-v1 §3.1), or the packets of one that gpg wrote. Without a key,
 * and therefore not authenticated.
 */
export async function inspect(ctx: Context, input: ArchiveInput): Promise<Report<InspectResult>> {
  return runVerb(ctx, 'inspect', async () => {
    await using found = await findArchive(ctx, input)
    const { reader, name, size } = found
    const options = { signal: ctx.signal, name }
    const format = await formatOf(ctx, reader, name)
    if (format === undefined) return { name, size, header: await inspectHeader(reader, options) }
    const facts = await format.inspect(reader.stream(ctx.signal), options)
    return { name, size, foreign: { format: format.name, facts } }
  })
}
