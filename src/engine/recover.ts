import path from 'node:path'
import { acquireLock } from '../catalog/lock.ts'
import { isSealiftError } from '../errors.ts'
import type { Context } from './context.ts'
import { journalPath, hasJournals, readJournals, removeJournal, sweepDrafts } from './journal.ts'
import { finishSwap, removeStaging, tidySwap } from './swap.ts'
import { rfc3339 } from './time.ts'

/**
 * Ends the restores of an application that were cut off: staged data that was not yet going live is removed, a swap
 * that had begun is finished. The caller holds the application's lock. RECOVERY_NEEDED leaves all as it is.
 */
export async function recoverRestores(ctx: Context, app: string): Promise<void> {
  for (const journal of await readJournals(ctx.stateDir, app)) {
    if (journal.state === 'swapping') {
      await finishSwap(journal, journalPath(ctx.stateDir, journal))
      await tidySwap(journal, ctx.privileged)
      ctx.emit({ type: 'note', message: `finished a restore that was interrupted (run ${journal.run})` })
    } else {
      await removeStaging(journal)
      ctx.emit({
        type: 'note',
        message: `removed what an interrupted restore had staged (run ${journal.run})`,
      })
    }
    await removeJournal(ctx.stateDir, journal)
  }
  await sweepDrafts(ctx.stateDir, app)
}

/** The name under which `extract` locks and keeps its journal: extracting belongs to no application. */
export const extractName = 'sealift-extract'

/**
 * The name under which a drill locks and keeps its journal: it does not stand in the way of the application's backups.
 * One of an archive given by its path belongs to no application.
 */
export function drillName(app?: string): string {
  return app === undefined ? 'sealift-drill' : `sealift-drill-${app}`
}

/** Ends what was killed under a name of its own, whatever runs next, so that its plaintext does not wait for another. */
export async function recoverOther(ctx: Context, name: string, verb: string): Promise<void> {
  if (!(await hasJournals(ctx.stateDir, name))) return
  const holder = { pid: ctx.pid, verb, since: rfc3339(ctx.now()), host: ctx.host }
  try {
    await using _lock = await acquireLock({ folder: path.join(ctx.stateDir, 'locks'), app: name, holder })
    await recoverRestores(ctx, name)
  } catch (error) {
    // One that still runs cleans up itself.
    if (!isSealiftError(error, 'LOCKED')) throw error
  }
}
