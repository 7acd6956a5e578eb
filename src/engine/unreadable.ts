import { named, remember } from './run.ts'
import type { Run } from './run.ts'
import type { Context } from './context.ts'
import { proveToo } from './evidence.ts'
import { unreadableProof } from './proofs.ts'

/** Takes back that the archive of this name at a target was verified: it does not read as it did. */
export function noLongerVerified(ctx: Context, run: Run, app: string, target: string, name: string): void {
  remember(run, () => {
    const known = ctx.catalog.archivesAt(app, target).find((archive) => archive.name === name)
    if (known !== undefined) ctx.catalog.unmarkVerified(known.archive_id, target)
  })
}

/** Notes that reading an archive back failed, where it is the archive that is at fault. */
export function noteUnreadable(
  ctx: Context,
  run: Run,
  {
    app,
    target,
    name,
  }: { readonly app: string | undefined; readonly target: string | undefined; readonly name: string },
  error: unknown,
): void {
  const failure = named(error)
  if (failure.kind !== 'integrity' || app === undefined || target === undefined) return
  noLongerVerified(ctx, run, app, target, name)
  proveToo(ctx, run, app, unreadableProof(target, name, failure))
}
