import type { Retention } from './context.ts'
import type { ArchiveSummary } from './report.ts'

/** For each rule, the period that an archive's own time falls into; the newest of a period is the one that counts. */
const rules: readonly {
  readonly key: 'keep_last' | 'keep_daily' | 'keep_weekly' | 'keep_monthly' | 'keep_yearly'
  readonly reason: string
  readonly period: (archive: ArchiveSummary) => string
}[] = [
  { key: 'keep_last', reason: 'last', period: (archive) => `${archive.id} ${archive.name}` },
  { key: 'keep_daily', reason: 'daily', period: (archive) => archive.created_at.slice(0, 10) },
  { key: 'keep_weekly', reason: 'weekly', period: (archive) => isoWeek(new Date(archive.created_at)) },
  { key: 'keep_monthly', reason: 'monthly', period: (archive) => archive.created_at.slice(0, 7) },
  { key: 'keep_yearly', reason: 'yearly', period: (archive) => archive.created_at.slice(0, 4) },
]

/** What each rule of a policy keeps: the newest archive of each of its newest N periods that have one. */
export function periodRules(
  newestFirst: readonly ArchiveSummary[],
  policy: Retention,
): { readonly reason: string; readonly kept: readonly ArchiveSummary[] }[] {
  return rules.map(({ key, reason, period }) => {
    const newest = new Map<string, ArchiveSummary>()
    for (const archive of newestFirst) {
      const own = period(archive)
      if (newest.has(own)) continue
      if (newest.size >= (policy[key] ?? 0)) break
      newest.set(own, archive)
    }
    return { reason, kept: [...newest.values()] }
  })
}

/** `2026-W07`, ISO 8601: the week belongs to the year that has its Thursday. */
function isoWeek(time: Date): string {
  const day = Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate())
  const thursday = new Date(day + (4 - (time.getUTCDay() || 7)) * 86_400_000)
  const week = Math.ceil(
    ((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7,
  )
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`
}
