import type { ArchiveRecord, RunRecord } from '../catalog/catalog.ts'
import type { EvidenceRecord } from '../catalog/evidence-record.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import { noteArchive } from './note-archive.ts'
import { isOffHost, placeTargets } from './off-host.ts'
import type { ReportedError } from './report.ts'
import { reported } from './run.ts'
import { rfc3339 } from './time.ts'

/** An archive at a target, as the catalogue knows it. `age` is in seconds, by the archive's own time. */
export interface Held {
  readonly name: string
  readonly id: string
  readonly created_at: string
  readonly size: number
  readonly age: number
  readonly verified_at: string | null
}

export interface TargetStanding {
  readonly target: string
  readonly kind: string
  readonly location: string
  /** False: on the disk or the machine of the application, so that one fault takes both. */
  readonly off_host: boolean
  readonly archives: number
  readonly newest: Held | null
  readonly newest_verified: Held | null
  readonly oldest: string | null
  /** Only where the targets were asked: why this one did not answer. */
  readonly error?: ReportedError
}

/** One run, in brief. */
export interface RunBrief {
  readonly verb: string
  readonly run: string
  readonly started_at: string
  readonly finished_at: string
  readonly ok: boolean
  readonly error_code: string | null
}

/** The last drill of a target, from the evidence log. */
export interface DrillBrief {
  readonly seq: number
  readonly time: string
  readonly target: string
  readonly archive: string | null
  readonly verdict: EvidenceRecord['verdict']
  readonly seconds: number
  readonly age: number
}

/** Asks the targets what they hold and corrects the catalogue by it. Returns why each that did not answer did not. */
export async function refresh(
  ctx: Context,
  application: Application,
): Promise<ReadonlyMap<string, ReportedError>> {
  const { app, targets } = application
  const silent = new Map<string, ReportedError>()
  for (const target of targets) {
    ctx.emit({ type: 'phase', phase: 'prepare', label: `asking ${target.name}` })
    const { archives, unavailable, unreadable } = await inventoryOf(ctx, target, application)
    for (const { error } of unavailable) silent.set(target.name, error)
    for (const { name, error } of unreadable) {
      const message = `${name} at ${target.name} is no archive that can be read: ${error.message}`
      ctx.emit({ type: 'warning', code: 'archive-unreadable', message })
    }
    if (unavailable.length > 0) continue
    for (const archive of archives) noteArchive(ctx, app, archive)
    const there = new Set(archives.map(({ id }) => id))
    for (const { archive_id } of ctx.catalog.archivesAt(app, target.name))
      if (!there.has(archive_id)) ctx.catalog.forget(archive_id, target.name)
  }
  return silent
}

/** What each target is known to hold; offline. */
export async function targetStandings(
  ctx: Context,
  application: Application,
  silent: ReadonlyMap<string, ReportedError> = new Map(),
): Promise<TargetStanding[]> {
  const placements = await placeTargets(ctx, application.targets, application.sources)
  return application.targets.map((target) => {
    const known = ctx.catalog.archivesAt(application.app, target.name)
    const verified = ctx.catalog.newestVerified(application.app, target.name)
    const error = silent.get(target.name)
    return {
      target: target.name,
      kind: target.kind,
      location: target.location,
      off_host: placements.some((one) => one.target === target.name && isOffHost(one.distance)),
      archives: known.length,
      newest: known[0] === undefined ? null : held(ctx, known[0]),
      newest_verified: verified === undefined ? null : held(ctx, verified),
      oldest: known.at(-1)?.created_at ?? null,
      ...(error === undefined ? {} : { error }),
    }
  })
}

/** The newest drill of each target that the log tells of, newest first. */
export function lastDrills(ctx: Context, records: readonly EvidenceRecord[]): DrillBrief[] {
  const drills = records.filter(({ kind }) => kind === 'drill').map((record) => drillBrief(ctx, record))
  const newest = drills.toReversed()
  return newest.filter(({ target }, at) => newest.findIndex((other) => other.target === target) === at)
}

export function drillBrief(
  ctx: Context,
  { seq, time, subject, verdict, details }: EvidenceRecord,
): DrillBrief {
  const { target, name } = subject
  const { seconds } = details
  return {
    seq,
    time,
    target: typeof target === 'string' ? target : '?',
    archive: typeof name === 'string' ? name : null,
    verdict,
    seconds: typeof seconds === 'number' ? seconds : 0,
    age: ageOf(ctx, time),
  }
}

export function runBrief(run: RunRecord | undefined): RunBrief | null {
  if (run === undefined) return null
  const { verb, id, started_at, finished_at, ok, error_code = null } = run
  return { verb, run: id, started_at, finished_at, ok, error_code }
}

function held(ctx: Context, { name, archive_id, target, created_at, size }: ArchiveRecord): Held {
  const verified = ctx.catalog.verified(archive_id, target)
  return {
    name,
    id: archive_id,
    created_at,
    size,
    age: ageOf(ctx, created_at),
    verified_at: verified === undefined ? null : rfc3339(verified),
  }
}

/** Whole seconds since a moment; 0 for one that is ahead of this clock. */
export function ageOf(ctx: Context, moment: string): number {
  return Math.max(0, Math.round((ctx.now().getTime() - Date.parse(moment)) / 1000))
}

async function inventoryOf(ctx: Context, target: Target, application: Application) {
  try {
    return await readInventory(ctx, [target], application)
  } catch (error) {
    ctx.signal.throwIfAborted()
    return { archives: [], unreadable: [], unavailable: [{ target: target.name, error: reported(error) }] }
  }
}
