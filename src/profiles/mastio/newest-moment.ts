import { reasonOf, SealiftError } from '../../errors.ts'
import type { Places } from '../examination.ts'
import { newestTimestamp } from './audit-time.ts'
import { openSnapshot } from './snapshot-database.ts'

/**
 * The newest audit row of a snapshot (mastio.md §10): the enterprise script stamps an archive before its snapshot, so the
 * name alone does not tell that nothing in it is younger. CHECK_FAILED for a database that cannot be read.
 */
export async function newestMoment(places: Places): Promise<Date | undefined> {
  const path = places.get('data')
  if (path === undefined) return undefined
  try {
    using db = openSnapshot(path)
    const newest = newestTimestamp(db)
    return newest === null ? undefined : new Date(newest)
  } catch (error) {
    throw new SealiftError(
      'CHECK_FAILED',
      { failed: [`the database cannot be read: ${reasonOf(error)}`] },
      error,
    )
  }
}
