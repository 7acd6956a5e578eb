import type { EvidenceProblem } from '../catalog/evidence-chain.ts'
import type { EvidenceHead, EvidenceRecord } from '../catalog/evidence-record.ts'
import type { FactValue } from '../manifest.ts'
import { breachesOf } from './breaches.ts'
import type { Breach, ChainStanding, Proven } from './breaches.ts'
import { chainStanding, newestExamined } from './chain-standing.ts'
import type { Application, Context, Retention } from './context.ts'
import { controlLines } from './control-lines.ts'
import type { ControlLine } from './control-lines.ts'
import { evidenceOf } from './evidence.ts'
import { defaultObjectives } from './objectives.ts'
import type { Objectives } from './objectives.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'
import { drillBrief, lastDrills, refresh, targetStandings } from './standing.ts'
import type { DrillBrief, TargetStanding } from './standing.ts'
import { rfc3339 } from './time.ts'

export interface EvidenceInput {
  readonly application: Application
  /** Ask the targets what they hold before anything is said. */
  readonly refresh?: boolean
}

/** What is proven of an application's recovery, at one moment. Ages and durations are seconds. */
export interface EvidenceReport {
  readonly app: string
  readonly profile: string
  readonly host: string
  readonly as_of: string
  readonly objectives: Objectives
  readonly targets: readonly TargetStanding[]
  readonly last_drill: DrillBrief | null
  /** The last few drills, newest first. */
  readonly drills: readonly DrillBrief[]
  /** What the last drill that passed noted of drift. */
  readonly drift: readonly string[]
  readonly chains: ChainStanding
  readonly retention: string
  readonly evidence: {
    readonly records: number
    readonly head: EvidenceHead
    readonly problems: readonly EvidenceProblem[]
    /** Notes that stand in the log for ever: a log that began anew, an append that a crash cut off. */
    readonly notes: readonly string[]
  }
  /** Versions and facts by which the application's state is known. */
  readonly versions: Readonly<Record<string, FactValue>>
  readonly controls: readonly ControlLine[]
  readonly note: string | null
  readonly breaches: readonly Breach[]
}

/** How many drills a report lists. */
const shown = 5

/**
 * Says what is proven, and by what: judged by the evidence log, whose chain is checked first, and by what the catalogue
 * knows of the targets. Nothing is written. Every shortfall is a breach with a name.
 */
export async function report(ctx: Context, input: EvidenceInput): Promise<Report<EvidenceReport>> {
  return runVerb(ctx, 'report', async () => {
    const { application } = input
    const { app, profile, objectives = defaultObjectives } = application
    const silent = input.refresh === true ? await refresh(ctx, application) : undefined
    const { records, problems, head } = evidenceOf(ctx, app)
    const targets = await targetStandings(ctx, application, silent)
    const configured = new Set(targets.map(({ target }) => target))
    const newest = newestExamined(ctx, application)
    const proven: Proven = {
      objectives,
      targets,
      drills: lastDrills(ctx, records).filter(({ target }) => configured.has(target) || target === 'file'),
      chains: chainStanding(application, newest, records),
      evidence: problems,
    }
    const breaches = breachesOf(proven)
    const retention = retentionText(application, targets)
    const controls = application.controls ?? profile.assurance?.controls ?? []
    return {
      app,
      profile: profile.title,
      host: ctx.host,
      as_of: rfc3339(ctx.now()),
      objectives,
      targets,
      last_drill: proven.drills[0] ?? null,
      drills: records
        .filter(({ kind }) => kind === 'drill')
        .slice(-shown)
        .toReversed()
        .map((record) => drillBrief(ctx, record)),
      drift: driftIn(records),
      chains: proven.chains,
      retention,
      evidence: { records: records.length, head, problems, notes: records.flatMap(notesOf) },
      versions: versionsOf(ctx, application, newest?.facts),
      controls: controlLines(controls, { ...proven, breaches, records, retention }),
      note: controls.length === 0 ? null : (profile.assurance?.note ?? null),
      breaches,
    }
  })
}

function driftIn(records: readonly EvidenceRecord[]): string[] {
  const drill = records.findLast(({ kind, verdict }) => kind === 'drill' && verdict !== 'fail')
  const notes = drill?.details['drift']
  return Array.isArray(notes) ? notes.filter((note): note is string => typeof note === 'string') : []
}

function notesOf({ seq, kind, time, details }: EvidenceRecord): string[] {
  const day = time.slice(0, 10)
  if (kind === 'begun')
    return [
      `the log began anew on ${day}: ${Number(details['earlier_records'])} earlier records are not in it`,
    ]
  if (kind === 'repair') return [`before record ${seq}, of ${day}, an append was cut off by a crash`]
  return []
}

function versionsOf(
  ctx: Context,
  { profile }: Application,
  facts: Readonly<Record<string, FactValue>> = {},
): Record<string, FactValue> {
  const wanted = profile.assurance?.drift ?? []
  const known = wanted.flatMap((name) => (facts[name] === undefined ? [] : [[name, facts[name]] as const]))
  return { sealift: ctx.version, ...Object.fromEntries(known) }
}

/** `keeps 7 daily, 4 weekly; 11 archives, the oldest of 2026-02-01`. */
function retentionText({ retention }: Application, targets: readonly TargetStanding[]): string {
  const rules = retention === undefined ? 'nothing is removed' : `keeps ${rulesText(retention)}`
  const archives = targets.reduce((sum, each) => sum + each.archives, 0)
  const [oldest] = targets.flatMap((each) => each.oldest ?? []).toSorted()
  const held =
    oldest === undefined
      ? 'no archive'
      : `${archives} ${archives === 1 ? 'archive' : 'archives'}, the oldest of ${oldest.slice(0, 10)}`
  return `${rules}; ${held}`
}

function rulesText({ after_backup, ...rules }: Retention): string {
  const said = Object.entries(rules)
    .filter(([, value]) => value !== 0)
    .map(([key, value]) => {
      const rule = key.replace('keep_', '').replaceAll('_', ' ')
      return key === 'keep_within' ? `what is within ${daysText(value)}` : `${rule} ${value}`
    })
  return [...said, ...(after_backup === true ? ['applied after each backup'] : [])].join(', ')
}

/** Seconds as days, or as hours where they are no whole days. */
function daysText(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400} d` : `${Math.round(seconds / 360) / 10} h`
}
