import type { ArchiveHeader } from '../archive/index.ts'
import { inspectHeader } from '../archive/index.ts'
import type { ArchiveInput } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'

export interface InspectResult {
  readonly name: string
  readonly size: number
  readonly header: ArchiveHeader
}

/** What anyone can see of an archive: its header, without a key and therefore not authenticated (archive-v1 §3.1). */
export async function inspect(ctx: Context, input: ArchiveInput): Promise<Report<InspectResult>> {
  return runVerb(ctx, 'inspect', async () => {
    await using found = await findArchive(ctx, input)
    const header = await inspectHeader(found.reader, { signal: ctx.signal, name: found.name })
    return { name: found.name, size: found.reader.size, header }
  })
}
