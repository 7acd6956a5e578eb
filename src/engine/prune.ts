import { SealiftError } from '../errors.ts'
import type { Application, Context, Retention } from './context.ts'
import { readInventory } from './inventory.ts'
import type { ArchiveSummary, PruneResult, Report } from './report.ts'
import { decide } from './retention.ts'
import { remember, runVerb } from './run.ts'
import { enterWorkplace } from './workplace.ts'

export interface PruneInput {
  readonly application: Application
  readonly retention: Retention
  /** Say what would be removed, and remove nothing. */
  readonly dryRun?: boolean
}

/**
 * Removes the archives that no rule keeps, at each target by itself. Only archives of this application that can be read
 * as archives are looked at; the newest verified one of a target always stays.
 */
export async function prune(ctx: Context, input: PruneInput): Promise<Report<PruneResult>> {
  return runVerb(ctx, 'prune', async (run) => {
    const { application, retention, dryRun = false } = input
    if (Object.values(retention).every((count: number) => count === 0)) {
      throw new SealiftError('USAGE', {
        reason: 'no rule keeps anything: give at least one of keep_last, keep_daily, …',
      })
    }
    await using _workplace = await enterWorkplace(ctx, application.app, 'prune')
    run.concerns({ app: application.app })
    ctx.emit({ type: 'phase', phase: 'prune', label: `archives of ${application.app}` })
    const kept: PruneResult['kept'][number][] = []
    const removed: ArchiveSummary[] = []
    for (const target of application.targets) {
      if (!dryRun) await target.sweep(ctx.signal)
      const { archives, unreadable } = await readInventory(ctx, [target], application)
      for (const { name, error } of unreadable) {
        run.warn({ code: 'archive-unreadable', message: `${name} is left alone: ${error.message}` })
      }
      const decision = decide(archives, retention)
      kept.push(...decision.kept)
      for (const archive of decision.removed) {
        if (!dryRun) {
          await target.remove(archive.name, ctx.signal)
          remember(run, () => ctx.catalog.forget(archive.id, target.name))
        }
        removed.push(archive)
      }
    }
    return { kept, removed, dry_run: dryRun }
  })
}
