import type { ArchiveRecord } from '../catalog/catalog.ts'
import type { Context } from './context.ts'
import type { Examined } from './examine.ts'
import type { ArchiveSummary } from './report.ts'
import { rfc3339 } from './time.ts'

/** What the catalogue keeps of an archive that has just come to a target. */
export function archiveRecord(
  ctx: Context,
  app: string,
  { id, target, name, created_at, size }: ArchiveSummary,
  examined: Examined | undefined,
): ArchiveRecord {
  const about = examined === undefined ? {} : { verdict: examined.verdict, facts: examined.facts }
  return { archive_id: id, app, target, name, created_at, size, written_at: rfc3339(ctx.now()), ...about }
}
