import { SealiftError } from '../errors.ts'
import type { Context } from './context.ts'
import { pruneTarget } from './prune-target.ts'
import type { Pruned, Pruning } from './prune-target.ts'
import type { PruneResult, Report } from './report.ts'
import { keepsSomething } from './retention.ts'
import { runVerb } from './run.ts'
import { keepStatus } from './status-file.ts'
import { enterWorkplace } from './workplace.ts'

export type PruneInput = Pruning

/**
 * Removes the archives that no rule keeps, at each target by itself. The newest verified ones, the last good one and the
 * last one of each lineage always stay. USAGE for a policy that keeps nothing.
 */
export async function prune(ctx: Context, input: PruneInput): Promise<Report<PruneResult>> {
  return runVerb(ctx, 'prune', async (run) => {
    const { application, retention, dryRun = false } = input
    if (!keepsSomething(retention)) {
      const reason = 'no rule keeps anything: give at least one of keep_within, keep_last, keep_daily, …'
      throw new SealiftError('USAGE', { reason })
    }
    await using _workplace = await enterWorkplace(ctx, application.app, 'prune')
    run.concerns({ app: application.app })
    if (!dryRun) keepStatus(ctx, run, application)
    ctx.emit({ type: 'phase', phase: 'prune', label: `archives of ${application.app}` })
    const all: Pruned[] = []
    for (const target of application.targets) all.push(await pruneTarget(ctx, run, input, target))
    return {
      kept: all.flatMap(({ kept }) => kept),
      removed: all.flatMap(({ removed }) => removed),
      failed: all.flatMap(({ failed }) => failed),
      dry_run: dryRun,
    }
  })
}
