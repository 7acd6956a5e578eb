import { backupBreaches } from './breaches.ts'
import type { Breach } from './breaches.ts'
import type { Application, Context } from './context.ts'
import { evidenceOf } from './evidence.ts'
import { defaultObjectives } from './objectives.ts'
import type { Report, ReportedError } from './report.ts'
import { runVerb } from './run.ts'
import { lastDrills, refresh, runBrief, targetStandings } from './standing.ts'
import type { DrillBrief, RunBrief, TargetStanding } from './standing.ts'
import { rfc3339 } from './time.ts'

export interface StatusInput {
  readonly application: Application
  /** Ask the targets what they hold. Else only the catalogue is read: it is quick, and needs no network. */
  readonly refresh?: boolean
}

/** How an application stands. Ages are seconds, times RFC 3339 in UTC. */
export interface Status {
  readonly app: string
  readonly host: string
  readonly as_of: string
  readonly targets: readonly TargetStanding[]
  readonly last_run: RunBrief | null
  readonly last_backup: RunBrief | null
  readonly last_success: RunBrief | null
  readonly last_failure: RunBrief | null
  readonly last_drill: DrillBrief | null
  /** What wants a look, of archives and targets; `report` looks at all. */
  readonly breaches: readonly Breach[]
}

/** How the application stands: what each target holds, what was verified of it, how the last runs ended. */
export async function status(ctx: Context, input: StatusInput): Promise<Report<Status>> {
  return runVerb(ctx, 'status', async () => {
    const { application } = input
    const silent = input.refresh === true ? await refresh(ctx, application) : undefined
    return await statusOf(ctx, application, silent)
  })
}

export async function statusOf(
  ctx: Context,
  application: Application,
  silent?: ReadonlyMap<string, ReportedError>,
): Promise<Status> {
  const { app, objectives = defaultObjectives } = application
  const targets = await targetStandings(ctx, application, silent)
  const [last_drill = null] = lastDrills(ctx, evidenceOf(ctx, app).records)
  const last = (which: Parameters<typeof ctx.catalog.lastRun>[1]) => runBrief(ctx.catalog.lastRun(app, which))
  return {
    app,
    host: ctx.host,
    as_of: rfc3339(ctx.now()),
    targets,
    last_run: last({}),
    last_backup: last({ verb: 'backup' }),
    last_success: last({ verb: 'backup', ok: true }),
    last_failure: last({ ok: false }),
    last_drill,
    breaches: backupBreaches({ objectives, targets }),
  }
}
