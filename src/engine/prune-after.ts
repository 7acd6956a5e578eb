import type { OpenKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Application, Context } from './context.ts'
import type { Original } from './copy.ts'
import type { Delivered } from './deliver.ts'
import { pruneTarget } from './prune-target.ts'
import type { Pruned } from './prune-target.ts'
import type { PruneResult } from './report.ts'
import { keepsSomething } from './retention.ts'
import type { Run } from './run.ts'

/** What a backup was asked for, as far as its end goes. */
interface Asked {
  readonly application: Application
  readonly verify?: boolean
  readonly prune?: boolean
}

/**
 * Whether a backup reads its archive back: because it was asked to, or because retention follows. USAGE where it was asked
 * to and no passphrase is at hand; where only the configuration wants retention, that is left out, with a warning.
 */
export function readsBack(input: Asked, run: Run, ownKeys: readonly OpenKey[]): boolean {
  const { verify = false, prune, application } = input
  if (prune === true && !hasRule(application)) {
    const reason = 'the configuration has no `retention` that keeps anything'
    throw new SealiftError('USAGE', { reason })
  }
  if (!verify && !prunes(input)) return false
  if (ownKeys.length > 0) return true
  if (verify || prune === true) {
    const reason =
      'reading back needs a passphrase: a recipient can only seal; run `sealift verify` where the secret key is'
    throw new SealiftError('USAGE', { reason })
  }
  const message = 'retention does not run: the archive can be read back only where the secret key is'
  run.warn({ code: 'retention-skipped', message })
  return false
}

/**
 * Retention at the end of a backup: only of a new archive that was read back and is not `fail`, and only at the targets
 * that have it. The caller holds the lock.
 */
export async function pruneAfter(
  ctx: Context,
  run: Run,
  {
    input,
    ownKeys,
    delivered,
  }: {
    readonly input: Asked
    readonly ownKeys: readonly OpenKey[]
    readonly delivered: Delivered<Original>
  },
): Promise<PruneResult | undefined> {
  const { application } = input
  const { written, copies } = delivered
  if (!prunes(input) || application.retention === undefined || written.verified === undefined)
    return undefined
  if (written.examined?.verdict === 'fail') {
    const message = 'retention does not run: the new archive does not count as good'
    run.warn({ code: 'retention-skipped', message })
    return undefined
  }
  const have = new Set([written.from.name, ...copies.filter(({ ok }) => ok).map(({ target }) => target)])
  ctx.emit({ type: 'phase', phase: 'prune', label: `archives of ${application.app}` })
  const pruning = { application, retention: application.retention, keys: () => Promise.resolve(ownKeys) }
  const all: Pruned[] = []
  for (const target of application.targets) {
    if (have.has(target.name)) all.push(await pruneTarget(ctx, run, pruning, target))
  }
  return {
    kept: all.flatMap(({ kept }) => kept),
    removed: all.flatMap(({ removed }) => removed),
    failed: all.flatMap(({ failed }) => failed),
    dry_run: false,
  }
}

function prunes({ prune, application }: Asked): boolean {
  return (prune ?? application.retention?.after_backup ?? false) && hasRule(application)
}

function hasRule({ retention }: Application): boolean {
  return retention !== undefined && keepsSomething(retention)
}
