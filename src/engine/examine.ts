import { SealiftError } from '../errors.ts'
import type { Facts } from '../manifest.ts'
import type { Places, Predecessor, ProfileFinding, Verdict } from '../profiles/examination.ts'
import { verdictOf } from '../profiles/examination.ts'
import type { Application, Context } from './context.ts'
import type { Run } from './run.ts'
import type { Taken } from './snapshots.ts'

/** What an examination before the seal brings to the archive, the catalogue and the report. */
export interface Examined extends Judged {
  readonly findings: readonly ProfileFinding[]
  /** The source whose facts these are. */
  readonly source: string
}

/** Where the sources of an application lie on this machine. */
export function placesOf({ sources }: Application): Places {
  return new Map(sources.map(({ name, place }) => [name, place.path]))
}

/**
 * Lets the profile look at the snapshots before anything is sealed. SNAPSHOT_REFUSED for a `hard` finding: no archive
 * is written from such data. After any `fail` the run ends not `ok`, with the archive written.
 */
export async function examineSnapshots(
  ctx: Context,
  run: Run,
  application: Application,
  taken: readonly Taken[],
  redacted: boolean,
): Promise<Examined | undefined> {
  const { profile, app } = application
  if (profile.examine === undefined) return undefined
  ctx.emit({ type: 'phase', phase: 'examine', label: `examining ${app}` })
  const places = new Map(
    taken.map(({ source, snapshot }) => [source.name, snapshot.copy ?? source.place.path]),
  )
  const copied = taken.find(({ snapshot }) => snapshot.copy !== undefined) ?? taken[0]
  const predecessor = predecessorOf(ctx, run, app)
  const { source, facts, findings } = await profile.examine(
    {
      places,
      stage: 'backup',
      live: placesOf(application),
      redacted,
      takenAt: copied?.snapshot.takenAt ?? ctx.now(),
      ...(predecessor === undefined ? {} : { predecessor }),
    },
    ctx.signal,
  )
  const hard = findings.filter((one) => one.class === 'hard')
  if (hard.length > 0) throw new SealiftError('SNAPSHOT_REFUSED', { app, failed: hard.map(sentence) })
  for (const one of findings) {
    if (one.class === 'attention') run.warn({ code: one.check, message: one.detail })
  }
  const failed = findings.filter((one) => one.class === 'fail')
  if (failed.length > 0) run.fail(new SealiftError('BACKUP_NOT_GOOD', { app, failed: failed.map(sentence) }))
  return { ...judged(facts, findings), findings, source }
}

/** What an examination came to, as manifests and the catalogue keep it. */
export interface Judged {
  readonly facts: Facts
  readonly verdict: Verdict
}

export function judged(facts: Facts, findings: readonly ProfileFinding[]): Judged {
  const verdict = verdictOf(findings)
  const listed = findings.map(({ check, class: weight, detail }) => ({ check, class: weight, detail }))
  return { verdict, facts: { ...facts, verdict, findings: listed } }
}

export function sentence({ check, detail }: ProfileFinding): string {
  return `${check}: ${detail}`
}

/** The catalogue is a cache: without it the backup cannot compare, and says so. */
function predecessorOf(ctx: Context, run: Run, app: string): Predecessor | undefined {
  try {
    const before = ctx.catalog.predecessor(app)
    if (before?.facts === undefined) return undefined
    return {
      facts: before.facts,
      restoredSince: ctx.catalog.restoredSince(app, before.created_at),
      acknowledged: ctx.catalog.acknowledged(app).map(({ value }) => value),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `not compared with the previous backup: ${reason}`
    run.warn({ code: 'catalog-unavailable', message })
    return undefined
  }
}
