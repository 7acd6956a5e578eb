import { mkdir, statfs } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf, SealiftError } from '../errors.ts'
import type { Application, Context } from './context.ts'
import { isInside } from './destinations.ts'
import type { RestoreJournal } from './journal.ts'
import { removeJournal, writeJournal } from './journal.ts'
import type { Run } from './run.ts'
import { removeStaging } from './swap.ts'

/** A private folder for a drill's plaintext: removed when the drill ends, and by the next start after a kill. */
export interface DrillScratch extends AsyncDisposable {
  readonly folder: string
}

/**
 * Makes the folder below `base`, which exists. A journal names it before it is there: that of a restore which never
 * goes live, so that every later start of the application removes what a killed drill left. `name` is what the drill
 * locks.
 */
export async function makeScratch(ctx: Context, run: Run, name: string, base: string): Promise<DrillScratch> {
  const folder = path.join(base, `.sealift-drill-${run.id}`)
  const journal: RestoreJournal = {
    journal: 1,
    app: name,
    run: run.id,
    state: 'staging',
    staging: [folder],
    asides: [],
    moves: [],
    attributes: [],
  }
  await writeJournal(ctx.stateDir, journal)
  const clear = async (): Promise<void> => {
    try {
      await removeStaging(journal)
      await removeJournal(ctx.stateDir, journal)
    } catch (error) {
      const message = `${folder} could not be removed (${reasonOf(error)}); the next start removes it`
      run.warn({ code: 'cleanup-incomplete', message })
    }
  }
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    await clear()
    throw error
  }
  return { folder, [Symbol.asyncDispose]: clear }
}

/** USAGE for a scratch place inside what is backed up: a drill changes nothing there. */
export function refuseLiveScratch(scratch: string, application: Application | undefined): void {
  const source = application?.sources.find(
    ({ place }) => scratch === place.path || isInside(scratch, place.path),
  )
  if (source === undefined) return
  const reason = `${scratch} lies in source ${source.name}, where a drill may change nothing: name another place`
  throw new SealiftError('USAGE', { reason })
}

/**
 * DISK_FULL before the first byte, where not even the sealed archive and as much again would fit. What it takes
 * restored is known once it is open; the restore looks again then.
 */
export async function checkRoom(folder: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const [needed, free] = [2 * size, bavail * bsize]
  if (needed > free) throw new SealiftError('DISK_FULL', { path: folder, needed, free })
}
