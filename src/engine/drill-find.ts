import { SealiftError } from '../errors.ts'
import type { Finding } from '../sources/source.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import type { ArchiveSummary, ListResult } from './report.ts'

/**
 * The archive that a drill is about, at one target, and what the list itself shows: a file that cannot be read as an
 * archive is never passed over in silence, for it may be the newest. ARCHIVE_NOT_FOUND, ARCHIVE_AMBIGUOUS; CHECK_FAILED
 * where only unreadable files are there.
 */
export async function findToDrill(
  ctx: Context,
  target: Target,
  wanted: string,
  application: Application | undefined,
): Promise<{ archive: ArchiveSummary; checks: Finding[] }> {
  ctx.emit({ type: 'phase', phase: 'prepare', label: `looking at ${target.name}` })
  const { archives, unreadable } = await readInventory(ctx, [target], application)
  const archive = choose(archives, wanted) ?? notFound(target, wanted, unreadable)
  const checks = unreadable.map(({ name, error }): Finding => {
    const isNewer = stampOf(name) >= stampOf(archive.name)
    const verdict = wanted === 'latest' && isNewer ? 'fail' : 'attention'
    return { check: 'readable', verdict, detail: `${name}: ${error.message}` }
  })
  return { archive, checks }
}

function choose(archives: readonly ArchiveSummary[], wanted: string): ArchiveSummary | undefined {
  if (wanted === 'latest') return archives[0]
  const digits = /^[0-9a-f]{4,32}$/.test(wanted) ? wanted : undefined
  const matches = archives.filter(
    ({ name, id }) => name === wanted || (digits !== undefined && id.startsWith(digits)),
  )
  if (new Set(matches.map(({ id }) => id)).size > 1) {
    throw new SealiftError('ARCHIVE_AMBIGUOUS', {
      wanted,
      matches: matches.map(({ name, id }) => `${name} (${id})`),
    })
  }
  return matches[0]
}

function notFound(target: Target, wanted: string, unreadable: ListResult['unreadable']): never {
  const where = `${target.name} (${target.location})`
  const failed = unreadable
    .filter(({ name }) => wanted === 'latest' || name === wanted)
    .map(({ name, error }) => `${name}: ${error.message}`)
  if (failed.length > 0) throw new SealiftError('CHECK_FAILED', { failed })
  throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where })
}

/** The time in a name; a name without one may be of any time. */
function stampOf(name: string): string {
  return /\d{8}T\d{6}Z/.exec(name)?.[0] ?? '9'
}
