import type { Retention } from './context.ts'
import { newestFirst } from './newest-first.ts'
import type { ArchiveSummary, Judged } from './report.ts'
import { alwaysKept } from './retention-guards.ts'
import { periodRules } from './retention-periods.ts'
import type { Subject, Terms } from './retention-terms.ts'

/** What a policy decides for the archives of one target, newest first. */
export interface Decision {
  readonly kept: readonly Judged[]
  readonly removed: readonly Judged[]
  /** Those of `kept` that stay only because something about them is not known. */
  readonly unsure: readonly ArchiveSummary[]
}

/**
 * Decides by the archives' own times (UTC), never by file dates, which a copy changes. An archive stays if a rule keeps
 * it; `keep_at_most` then takes the oldest. What `alwaysKept` names stays in any case (mastio.md §7).
 */
export function decide(subjects: readonly Subject[], terms: Terms): Decision {
  const { policy, now } = terms
  const ordered = subjects.toSorted((a, b) => newestFirst(a.archive, b.archive))
  const always = alwaysKept(ordered, terms)
  const archives = ordered.map(({ archive }) => archive)
  const byRule = rulesFor(archives, policy, now)
  const kept: Judged[] = []
  const removed: Judged[] = []
  const unsure: ArchiveSummary[] = []
  for (const { archive } of ordered) {
    const guards = always.reasons.get(archive) ?? []
    const rules = byRule.get(archive) ?? []
    const over = policy.keep_at_most !== undefined && kept.length >= policy.keep_at_most
    const reasons = over || rules.length === 0 ? guards : rules
    if (reasons.length > 0) kept.push({ archive, reasons })
    else {
      const doubt = always.doubts.get(archive)
      if (doubt === undefined) removed.push({ archive, reasons: [whyGone(archive, terms, over)] })
      else {
        kept.push({ archive, reasons: [doubt] })
        unsure.push(archive)
      }
    }
  }
  return { kept, removed, unsure }
}

/** Whether a policy has a rule that keeps anything at all. */
export function keepsSomething(policy: Retention): boolean {
  const { keep_last, keep_daily, keep_weekly, keep_monthly, keep_yearly, keep_within, keep_at_most } = policy
  const counts = [keep_last, keep_daily, keep_weekly, keep_monthly, keep_yearly, keep_within, keep_at_most]
  return counts.some((count = 0) => count > 0)
}

function rulesFor(
  archives: readonly ArchiveSummary[],
  policy: Retention,
  now: Date,
): Map<ArchiveSummary, string[]> {
  const reasons = new Map(archives.map((archive): [ArchiveSummary, string[]] => [archive, []]))
  for (const { reason, kept } of periodRules(archives, policy)) {
    for (const archive of kept) reasons.get(archive)?.push(reason)
  }
  const { keep_within } = policy
  if (keep_within !== undefined) {
    for (const archive of archives) {
      if (ageOf(archive, now) <= keep_within)
        reasons.get(archive)?.push(`not older than ${words(keep_within)}`)
    }
  }
  // A cap alone keeps up to it.
  const { keep_at_most, keep_newest_verified: _, ...rules } = policy
  if (keep_at_most !== undefined && !keepsSomething(rules)) {
    for (const own of reasons.values()) own.push(`among the newest ${keep_at_most}`)
  }
  return reasons
}

function whyGone(archive: ArchiveSummary, { policy, now }: Terms, over: boolean): string {
  if (over) return `beyond the newest ${policy.keep_at_most}`
  if (policy.keep_within !== undefined) return `older than ${words(policy.keep_within)}`
  const age = Math.floor(ageOf(archive, now) / 86_400)
  return `no rule keeps it, ${age} ${age === 1 ? 'day' : 'days'} old`
}

/** Seconds; one from the future has an age below zero. */
function ageOf({ created_at }: ArchiveSummary, now: Date): number {
  return (now.getTime() - Date.parse(created_at)) / 1000
}

/** `30 days`, `36 hours`: the largest unit that says it whole. */
function words(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const
  const [unit, size] = units.find(([, length]) => seconds % length === 0) ?? (['second', 1] as const)
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
