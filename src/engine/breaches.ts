import type { EvidenceProblem } from '../catalog/evidence-chain.ts'
import type { Objectives } from './objectives.ts'
import type { DrillBrief, TargetStanding } from './standing.ts'

/** What can fall short, by a stable name. docs/evidence.md has the list. */
export const breachNames = [
  'backup-stale',
  'target-unverified',
  'copy-stale',
  'no-off-host-copy',
  'drill-missing',
  'drill-old',
  'drill-failed',
  'drill-slow',
  'chain-broken',
  'evidence-broken',
] as const

export type BreachName = (typeof breachNames)[number]

export interface Breach {
  readonly breach: BreachName
  readonly detail: string
  readonly fix: string
}

/** What the chains of the newest examined archive came to. `none`: the application has no chains. */
export interface ChainStanding {
  readonly state: 'ok' | 'broken' | 'unknown' | 'none'
  /** The archive, or the drill, that it is from. */
  readonly as_of: string | null
  readonly findings: readonly string[]
}

/** All that breaches are judged by. */
export interface Proven {
  readonly objectives: Objectives
  readonly targets: readonly TargetStanding[]
  /** The newest drill of each configured target, newest first. */
  readonly drills: readonly DrillBrief[]
  readonly chains: ChainStanding
  readonly evidence: readonly EvidenceProblem[]
}

/** Every breach of what was promised; empty when all holds. The order is that of the names. */
export function breachesOf(proven: Proven): Breach[] {
  return [...backupBreaches(proven), ...drillBreaches(proven), ...chainBreaches(proven)]
}

/** The breaches that concern archives and targets. */
export function backupBreaches({ objectives, targets }: Pick<Proven, 'objectives' | 'targets'>): Breach[] {
  const { rpo } = objectives
  const ages = targets.flatMap(({ newest_verified }) =>
    newest_verified === null ? [] : [newest_verified.age],
  )
  const youngest = ages.length === 0 ? undefined : Math.min(...ages)
  const found: Breach[] = []
  if (youngest === undefined || youngest > rpo) {
    const detail =
      youngest === undefined
        ? 'there is no verified backup'
        : `the newest verified backup is ${lasting(youngest)} old, over the RPO of ${lasting(rpo)}`
    found.push({ breach: 'backup-stale', detail, fix: 'run `sealift backup --verify`' })
  }
  for (const { target, newest, newest_verified } of targets) {
    if (newest_verified === null) {
      const what = newest === null ? 'no archive is known there' : 'none of its archives was verified'
      const fix = `run \`sealift drill --target ${target}\``
      found.push({ breach: 'target-unverified', detail: `${target}: ${what}`, fix })
    } else if (newest_verified.age > rpo && youngest !== undefined && youngest <= rpo) {
      const detail = `${target}: its newest verified copy is ${lasting(newest_verified.age)} old`
      found.push({ breach: 'copy-stale', detail, fix: `run \`sealift drill --target ${target}\`` })
    }
  }
  if (targets.length > 0 && !targets.some(({ off_host }) => off_host)) {
    const detail = 'every target lies on the disk or the machine of the application'
    found.push({ breach: 'no-off-host-copy', detail, fix: 'add a target on another host or disk' })
  }
  return found
}

function drillBreaches({ objectives, drills }: Proven): Breach[] {
  const { rto, drillEvery } = objectives
  const fix = 'run `sealift drill`'
  const found: Breach[] = []
  const passed = drills.filter(({ verdict }) => verdict !== 'fail')
  const [last] = passed
  if (last === undefined) found.push({ breach: 'drill-missing', detail: 'no drill has passed', fix })
  else if (last.age > drillEvery) {
    const detail = `the last drill that passed was ${lasting(last.age)} ago, over ${lasting(drillEvery)}`
    found.push({ breach: 'drill-old', detail, fix })
  }
  for (const { target, time, verdict, age } of drills) {
    if (verdict !== 'fail' || age > drillEvery) continue
    const detail = `the last drill of ${target}, of ${time.slice(0, 10)}, failed`
    found.push({ breach: 'drill-failed', detail, fix: 'see what it says, mend that, and drill again' })
  }
  for (const { target, seconds } of passed.filter((one, at) => at === 0 || one.age <= drillEvery)) {
    if (seconds <= rto) continue
    const detail = `the last drill of ${target} took ${lasting(seconds)}, over the RTO of ${lasting(rto)}`
    found.push({ breach: 'drill-slow', detail, fix: 'see which phase took the time, and drill again' })
  }
  return found
}

function chainBreaches({ chains, evidence }: Proven): Breach[] {
  const found: Breach[] = []
  if (chains.state === 'broken') {
    const fix = 'find out who changed the audit tables, and since when'
    found.push({ breach: 'chain-broken', detail: chains.findings.join('; '), fix })
  }
  const [first] = evidence
  if (first !== undefined) {
    const more = evidence.length === 1 ? '' : `; ${evidence.length - 1} more`
    const detail = `record ${first.seq} of the evidence log: ${first.problem}${more}`
    const fix =
      'keep the file, find out who changed it, and put a copy in its place; docs/evidence.md says more'
    found.push({ breach: 'evidence-broken', detail, fix })
  }
  return found
}

/** A duration for people, to a tenth of its unit. */
export function lasting(seconds: number): string {
  const [unit, name] =
    seconds >= 2 * 86_400
      ? [86_400, 'd']
      : seconds >= 2 * 3600
        ? [3600, 'h']
        : seconds >= 120
          ? [60, 'min']
          : [1, 's']
  const value = seconds / unit
  return `${Number.isInteger(value) || value >= 100 ? Math.round(value) : value.toFixed(1)} ${name}`
}
