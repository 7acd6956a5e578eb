import { newestFirst } from './newest-first.ts'
import type { Retention } from './context.ts'
import type { ArchiveSummary } from './report.ts'

/** What a policy decides for the archives of one target. */
export interface Decision {
  readonly kept: readonly { readonly archive: ArchiveSummary; readonly reasons: readonly string[] }[]
  readonly removed: readonly ArchiveSummary[]
}

/** For each rule, the period that an archive's own time falls into; the newest of a period is the one that counts. */
const rules: readonly {
  readonly key: keyof Retention
  readonly reason: string
  readonly period: (archive: ArchiveSummary) => string
}[] = [
  { key: 'keep_last', reason: 'last', period: (archive) => archive.id },
  { key: 'keep_daily', reason: 'daily', period: (archive) => archive.created_at.slice(0, 10) },
  { key: 'keep_weekly', reason: 'weekly', period: (archive) => isoWeek(new Date(archive.created_at)) },
  { key: 'keep_monthly', reason: 'monthly', period: (archive) => archive.created_at.slice(0, 7) },
  { key: 'keep_yearly', reason: 'yearly', period: (archive) => archive.created_at.slice(0, 4) },
]

/**
 * Decides by the archives' own times (UTC), never by file dates, which a copy changes. Each rule keeps the newest
 * archive of each of its newest N periods that have one; the newest verified archive always stays.
 */
export function decide(archives: readonly ArchiveSummary[], policy: Retention): Decision {
  const ordered = archives.toSorted(newestFirst)
  const reasons = new Map<ArchiveSummary, string[]>(ordered.map((archive) => [archive, []]))
  for (const { key, reason, period } of rules) {
    const seen = new Set<string>()
    for (const archive of ordered) {
      const own = period(archive)
      if (seen.has(own)) continue
      if (seen.size >= (policy[key] ?? 0)) break
      seen.add(own)
      reasons.get(archive)?.push(reason)
    }
  }
  const verified = ordered.find((archive) => archive.verified_at !== null)
  if (verified !== undefined) reasons.get(verified)?.push('newest verified')
  return {
    kept: ordered.flatMap((archive) => {
      const own = reasons.get(archive) ?? []
      return own.length === 0 ? [] : [{ archive, reasons: own }]
    }),
    removed: ordered.filter((archive) => reasons.get(archive)?.length === 0),
  }
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
