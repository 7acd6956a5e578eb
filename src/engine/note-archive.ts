import type { Context } from './context.ts'
import type { ArchiveSummary } from './report.ts'
import { rfc3339 } from './time.ts'

/** Tells the catalogue of an archive that was found at a target, unless it knows. */
export function noteArchive(ctx: Context, app: string, archive: ArchiveSummary): void {
  const { id, target, name, created_at, size } = archive
  if (ctx.catalog.archivesAt(app, target).some((known) => known.archive_id === id)) return
  // The same archive may be known from another target, with what its examination came to.
  const { verdict, facts } = ctx.catalog.archive(id) ?? {}
  ctx.catalog.recordArchive({
    archive_id: id,
    app,
    target,
    name,
    created_at,
    size,
    written_at: rfc3339(ctx.now()),
    ...(verdict === undefined ? {} : { verdict }),
    ...(facts === undefined ? {} : { facts }),
  })
}
