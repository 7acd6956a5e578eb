import type { OpenKey } from '../archive/index.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context, Retention } from './context.ts'
import { readInventory } from './inventory.ts'
import { newestFirst } from './newest-first.ts'
import type { Judged, PruneResult } from './report.ts'
import { decide } from './retention.ts'
import type { Decision } from './retention.ts'
import { learn, subjectOf } from './retention-knowledge.ts'
import type { Run } from './run.ts'
import { named, remember, reported } from './run.ts'

export interface Pruning {
  readonly application: Application
  readonly retention: Retention
  /** Say what would be removed, and remove nothing. */
  readonly dryRun?: boolean
  /** What opens archives of which too little is known; without, these stay. */
  readonly keys?: () => Promise<readonly OpenKey[]>
}

/** What became of each archive of one target. `failed` without a name is the target as a whole. */
export type Pruned = Pick<PruneResult, 'kept' | 'removed' | 'failed'>

/**
 * Applies retention at one target. Only archives of this application, by their names, are looked at, and one that cannot
 * be read as an archive is left alone. A removal that fails does not keep the others from being done, and no target keeps
 * another from it: each failure is its own result, and the run ends not `ok`. The caller holds the application's lock.
 */
export async function pruneTarget(ctx: Context, run: Run, pruning: Pruning, target: Target): Promise<Pruned> {
  const failed: PruneResult['failed'][number][] = []
  const fail = (error: unknown, name?: string): void => {
    ctx.signal.throwIfAborted()
    run.fail(named(error))
    failed.push({ target: target.name, ...(name === undefined ? {} : { name }), error: reported(error) })
  }
  try {
    const { dryRun = false } = pruning
    if (!dryRun) await target.sweep(ctx.signal)
    const { kept, removed } = await decideAt(ctx, run, pruning, target)
    if (dryRun) return { kept, removed, failed }
    const gone: Judged[] = []
    for (const judged of removed) {
      try {
        await target.remove(judged.archive.name, ctx.signal)
        gone.push(judged)
        remember(run, () => ctx.catalog.forget(judged.archive.id, target.name))
      } catch (error) {
        fail(error, judged.archive.name)
      }
    }
    return { kept, removed: gone, failed }
  } catch (error) {
    fail(error)
    return { kept: [], removed: [], failed }
  }
}

async function decideAt(
  ctx: Context,
  run: Run,
  { application, retention, keys }: Pruning,
  target: Target,
): Promise<Decision> {
  const { archives, unreadable } = await readInventory(ctx, [target], application)
  for (const { name, error } of unreadable) {
    run.warn({ code: 'archive-unreadable', message: `${name} is left alone: ${error.message}` })
  }
  const { profile } = application
  const terms = {
    policy: retention,
    now: ctx.now(),
    examined: profile.examine !== undefined,
    ...(profile.lineage === undefined ? {} : { lineage: profile.lineage }),
  }
  const judge = (): Decision =>
    decide(
      archives.map((archive) => subjectOf(ctx, application, archive)),
      terms,
    )
  const decision = judge()
  if (keys === undefined || decision.unsure.length === 0) return decision
  let learnt = false
  // Also the newest of which nothing is known: the last good one may be an old one only because of that.
  const subjects = archives.map((archive) => subjectOf(ctx, application, archive))
  const newest = subjects
    .toSorted((a, b) => newestFirst(a.archive, b.archive))
    .find((one) => one.verdict === undefined)
  for (const archive of new Set([...(newest === undefined ? [] : [newest.archive]), ...decision.unsure])) {
    if (await learn(ctx, run, application, target, archive, await keys())) learnt = true
  }
  return learnt ? judge() : decision
}
