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

/** Ends an extract that was killed, whatever runs next, so that its plaintext does not wait for another extract. */
export async function recoverExtract(ctx: Context, verb: string): Promise<void> {
  if (!(await hasJournals(ctx.stateDir, extractName))) return
  const holder = { pid: ctx.pid, verb, since: rfc3339(ctx.now()), host: ctx.host }
  try {
    await using _lock = await acquireLock({
      folder: path.join(ctx.stateDir, 'locks'),
      app: extractName,
      holder,
    })
    await recoverRestores(ctx, extractName)
  } catch (error) {
    // One that still runs cleans up itself.
    if (!isSealiftError(error, 'LOCKED')) throw error
  }
}
