import { isSealiftError, SealiftError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { copyArchive } from './copy.ts'
import type { Original } from './copy.ts'
import { placeTargets, refuseNear } from './off-host.ts'
import type { BackupResult, Placement } from './report.ts'
import type { Run } from './run.ts'
import { named, reported } from './run.ts'

/** What was written at the first target that served, and what became of each other one. */
export interface Delivered<Written> {
  readonly written: Written
  readonly copies: BackupResult['copies']
  readonly placements: readonly Placement[]
}

/**
 * Brings an archive to every target: `write` makes it at the first one that serves, each further one gets a copy. A target
 * that fails is its own result and loses no other one, the first as little as the last; the run then ends not `ok`. When
 * no target serves, the first one's error is thrown. What `write` throws of anything but its target ends the run.
 */
export async function deliver<Written extends Original>(
  ctx: Context,
  run: Run,
  application: Application,
  write: (target: Target) => Promise<Written>,
): Promise<Delivered<Written>> {
  const { targets, sources } = application
  const placements = await placeTargets(ctx, targets, sources)
  const results = new Map<Target, BackupResult['copies'][number]>()
  const failures: unknown[] = []
  const fail = (target: Target, error: unknown): void => {
    ctx.signal.throwIfAborted()
    failures.push(error)
    run.fail(named(error))
    results.set(target, { target: target.name, ok: false, error: reported(error) })
  }
  let written: Written | undefined
  for (const target of targets) {
    try {
      refuseNear(application, placements, target)
      if (written === undefined) {
        await target.sweep(ctx.signal)
        written = await write(target)
      } else {
        const state = await copyArchive(ctx, run, written, target)
        results.set(target, { target: target.name, ok: true, state })
      }
    } catch (error) {
      if (written === undefined && !isOfTarget(error)) throw error
      fail(target, error)
      if (written === undefined) {
        const message = `${target.name} did not take the archive: ${named(error).message}`
        run.warn({ code: 'target-failed', message })
      }
    }
  }
  if (written === undefined) throw failures[0] ?? new SealiftError('BUG', { reason: 'there is no target' })
  return { written, copies: targets.flatMap((target) => results.get(target) ?? []), placements }
}

/** Whether a failure is that of the place an archive was to go to, so that another place may serve. */
function isOfTarget(error: unknown): boolean {
  return isSealiftError(error) && error.code.startsWith('TARGET_')
}
