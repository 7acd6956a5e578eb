import type { Retention } from './context.ts'
import type { ArchiveSummary } from './report.ts'
import type { Subject, Terms } from './retention-terms.ts'

/** What stays whatever the rules say, and what stays as long as too little is known of it. */
export interface AlwaysKept {
  readonly reasons: ReadonlyMap<ArchiveSummary, readonly string[]>
  readonly doubts: ReadonlyMap<ArchiveSummary, string>
}

/** How many of the newest verified archives stay where a policy does not say (mastio.md §7: 7, where age decides). */
export function newestVerifiedKept({ keep_newest_verified, keep_within }: Retention): number {
  return keep_newest_verified ?? (keep_within === undefined ? 1 : 7)
}

/**
 * The newest verified archives, the last good one, and the last one of each lineage (an Org CA). To remove is final, so
 * what is not known counts against removing: an archive whose lineage is unknown may be the last of it, and while none is
 * known to be good, any of the unknown may be.
 */
export function alwaysKept(newestFirst: readonly Subject[], terms: Terms): AlwaysKept {
  const reasons = new Map<ArchiveSummary, string[]>()
  const keep = (archive: ArchiveSummary, reason: string): void => {
    reasons.set(archive, [...(reasons.get(archive) ?? []), reason])
  }
  const doubts = new Map<ArchiveSummary, string>()
  const doubt = (archive: ArchiveSummary, reason: string): void => {
    doubts.set(archive, doubts.get(archive) ?? reason)
  }

  const sound = newestFirst.filter(({ verdict }) => verdict !== 'fail')
  const verified = sound.filter(({ archive }) => archive.verified_at !== null)
  for (const [at, { archive }] of verified.slice(0, newestVerifiedKept(terms.policy)).entries())
    keep(archive, at === 0 ? 'newest verified' : `verified, number ${at + 1} from the newest`)

  const good = terms.examined ? sound.filter(({ verdict }) => verdict !== undefined) : sound
  const [last] = good
  if (last !== undefined) keep(last.archive, 'last good')
  else for (const { archive } of sound) doubt(archive, 'not known to be good, and no other is')

  const fact = terms.lineage
  if (fact !== undefined) {
    const seen = new Set<string>()
    // One that is not good is the last of a lineage only where there is no better one.
    for (const { archive, lineage } of [...sound, ...newestFirst.filter((one) => !sound.includes(one))]) {
      if (lineage === undefined) doubt(archive, `its ${fact} is not known (\`sealift verify\` learns it)`)
      else if (lineage !== null && !seen.has(lineage)) {
        seen.add(lineage)
        keep(archive, `last with this ${fact}`)
      }
    }
  }
  return { reasons, doubts }
}
