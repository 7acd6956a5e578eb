import type { ArchiveHeader, OpenKey } from '../archive/index.ts'
import { openFile } from '../archive/index.ts'
import type { Manifest } from '../manifest.ts'
import type { IndexEntry } from '../member.ts'
import type { ArchiveInput } from './archive-ref.ts'
import type { Context } from './context.ts'
import { openArchive, summaryOfFound } from './open-archive.ts'
import type { ArchiveSummary, Report } from './report.ts'
import { runVerb } from './run.ts'

export interface ShowInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  /** Called for every member, in tar order. */
  readonly onMember?: (entry: IndexEntry) => void | Promise<void>
}

export interface ShowResult {
  readonly archive: ArchiveSummary
  /** Of an archive of Sealift's own. */
  readonly header?: ArchiveHeader
  readonly manifest: Manifest
  readonly members: number
  readonly payload_bytes: number
}

/** What an archive holds: its manifest and, on demand, its members, from the index alone. */
export async function show(ctx: Context, input: ShowInput): Promise<Report<ShowResult>> {
  return runVerb(ctx, 'show', async () => {
    await using found = await openArchive(ctx, input)
    const file = await openFile(found.reader, found.keys, { signal: ctx.signal, name: found.name })
    const manifest = await file.manifest()
    const { members, payloadSize } = await file.summary()
    if (input.onMember !== undefined) {
      for await (const entry of file.index()) await input.onMember(entry)
    }
    const archive = summaryOfFound(ctx, found, file.header)
    const header = found.foreign === undefined ? { header: file.header } : {}
    return { archive, ...header, manifest, members, payload_bytes: payloadSize }
  })
}
