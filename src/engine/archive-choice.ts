import { isSealiftError, SealiftError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import { momentOf } from './archive-moment.ts'
import type { Context } from './context.ts'
import { found } from './found-archive.ts'
import type { ArchiveInput, FoundArchive } from './found-archive.ts'
import { appOf, readInventory } from './inventory.ts'
import type { ArchiveSummary, ListResult } from './report.ts'
import { rfc3339 } from './time.ts'

/** One archive, wherever a copy of it lies: in the order of the places. */
interface Candidate {
  readonly archive: ArchiveSummary
  readonly copies: readonly ArchiveSummary[]
}

/**
 * Chooses an archive among all that the places hold, together. What was not looked at or cannot be read is told.
 * ARCHIVE_NOT_FOUND, ARCHIVE_AMBIGUOUS, ARCHIVE_LATER.
 */
export async function chooseArchive(
  ctx: Context,
  input: ArchiveInput,
  places: readonly Target[],
): Promise<FoundArchive> {
  const { archive: wanted, before } = input
  const inventory = await readInventory(ctx, places, input.application)
  const candidates = gather(select(wanted, inventory.archives))
  tellGaps(ctx, inventory)
  if (wanted === 'latest') {
    if (input.application === undefined) refuseSeveralApplications(candidates)
    tellTie(ctx, candidates)
    tellUnreadable(ctx, inventory, candidates)
    if (before !== undefined) return newestBefore(ctx, input, before, places, candidates)
  } else refuseAmbiguous(wanted, candidates)
  const [chosen] = candidates
  if (chosen !== undefined) return openCopy(ctx, places, chosen.archive)
  // It is there by name, and what is wrong with it is the better answer.
  const broken = inventory.unreadable.find(({ name }) => name === wanted)
  if (broken !== undefined) return openCopy(ctx, places, broken)
  throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where: whereText(places) })
}

function select(wanted: string, archives: readonly ArchiveSummary[]): readonly ArchiveSummary[] {
  // What has another name may be of anything, and is taken only if it is named.
  if (wanted === 'latest') return archives.filter((a) => baseOf(a) !== undefined)
  const digits = /^[0-9a-f]{4,32}$/.test(wanted) ? wanted : undefined
  return archives.filter((a) => a.name === wanted || (digits !== undefined && a.id.startsWith(digits)))
}

/** The same archive at several places is one candidate; newest first, as the inventory is. */
function gather(archives: readonly ArchiveSummary[]): Candidate[] {
  const byId = Map.groupBy(archives, ({ id }) => id)
  return [...byId.values()].flatMap((copies) => {
    const [archive] = copies
    return archive === undefined ? [] : [{ archive, copies }]
  })
}

/**
 * The newest archive of a state from before a moment. The header's time is only a first filter, because it is when the
 * sealing began and nothing proves it without a key: what counts is the manifest. Of the archives that were sealed
 * later only the oldest can hold a state from before, because a backup begins after the one before it has ended. The
 * name of an archive of another program is enough to rule it out, and not to choose it: `momentOf` looks inside.
 */
async function newestBefore(
  ctx: Context,
  input: ArchiveInput,
  before: Date,
  places: readonly Target[],
  candidates: readonly Candidate[],
): Promise<FoundArchive> {
  const later = candidates.filter(({ archive }) => Date.parse(archive.created_at) >= before.getTime())
  const perhaps = later.findLast(({ archive }) => archive.format === undefined)
  const possible = candidates.filter((one) => !later.includes(one) || one === perhaps)
  let passed = candidates.length - possible.length
  for (const { copies } of possible) {
    const clean = await firstClean(ctx, input, before, places, copies)
    if (clean === 'later') passed++
    else if (clean !== 'damaged') {
      if (passed > 0) {
        const text = passed === 1 ? '1 later archive was' : `${passed} later archives were`
        ctx.emit({ type: 'note', message: `${clean.name} is taken; ${text} passed over` })
      }
      return clean
    }
  }
  const wanted = `latest before ${rfc3339(before)}`
  throw new SealiftError('ARCHIVE_NOT_FOUND', { wanted, where: whereText(places) })
}

/** The first copy that opens decides; a copy that is damaged is told and the next one asked. */
async function firstClean(
  ctx: Context,
  input: ArchiveInput,
  before: Date,
  places: readonly Target[],
  copies: readonly ArchiveSummary[],
): Promise<FoundArchive | 'later' | 'damaged'> {
  for (const copy of copies) {
    try {
      const archive = await openCopy(ctx, places, copy)
      if (await isFromBefore(ctx, input, before, archive)) return archive
      return 'later'
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (!isSealiftError(error) || !['integrity', 'unavailable', 'not-found'].includes(error.kind))
        throw error
      const message = `${copy.name} at ${copy.target} was passed over: ${error.message}`
      ctx.emit({ type: 'warning', code: 'archive-unreadable', message })
    }
  }
  return 'damaged'
}

/** Whether all that it holds is from before; one that is not, or fails to say so, is closed. */
async function isFromBefore(
  ctx: Context,
  input: ArchiveInput,
  before: Date,
  archive: FoundArchive,
): Promise<boolean> {
  let clean = false
  try {
    clean = (await momentOf(ctx, input, archive)) < before
    return clean
  } finally {
    if (!clean) await archive[Symbol.asyncDispose]()
  }
}

/**
 * Holds an archive that was named, and not chosen, to `before`. ARCHIVE_LATER, unless `allowLater`: then a warning. The
 * archive is closed when this throws.
 */
export async function refuseLater(
  ctx: Context,
  input: ArchiveInput,
  before: Date,
  archive: FoundArchive,
): Promise<void> {
  try {
    const moment = await momentOf(ctx, input, archive)
    if (moment < before) return
    const data = { name: archive.name, until: rfc3339(moment), before: rfc3339(before) }
    const error = new SealiftError('ARCHIVE_LATER', data)
    if (input.allowLater !== true) throw error
    ctx.emit({ type: 'warning', code: 'archive-later', message: error.message })
  } catch (error) {
    await archive[Symbol.asyncDispose]()
    throw error
  }
}

async function openCopy(
  ctx: Context,
  places: readonly Target[],
  { name, target }: { readonly name: string; readonly target: string },
): Promise<FoundArchive> {
  const place = places.find((one) => one.name === target)
  if (place === undefined) throw new SealiftError('BUG', { reason: `no target ${target}` })
  return found(await place.open(name, ctx.signal), name, place.name, place)
}

function refuseAmbiguous(wanted: string, candidates: readonly Candidate[]): void {
  if (candidates.length < 2) return
  const matches = candidates.map(({ archive }) => `${archive.name} (${archive.id})`)
  throw new SealiftError('ARCHIVE_AMBIGUOUS', { wanted, matches })
}

/** What stands before the time in a name; `undefined` for a name that no backup gives. */
function baseOf({ name, format }: ArchiveSummary): string | undefined {
  return format === undefined ? appOf(name) : name.split(/-\d{8}T\d{6}Z/)[0]
}

/** Without a configuration nothing says whose archives are meant. */
function refuseSeveralApplications(candidates: readonly Candidate[]): void {
  const newest = Map.groupBy(candidates, ({ archive }) => baseOf(archive))
  if (newest.size < 2) return
  const matches = [...newest.values()].flatMap(([first]) => (first === undefined ? [] : [first.archive.name]))
  throw new SealiftError('ARCHIVE_AMBIGUOUS', { wanted: 'latest', matches })
}

function tellTie(ctx: Context, [first, second]: readonly Candidate[]): void {
  if (first === undefined || second?.archive.created_at !== first.archive.created_at) return
  const message = `${first.archive.name} and ${second.archive.name} are of the same second; the first is taken`
  ctx.emit({ type: 'note', message })
}

function tellGaps(ctx: Context, { unavailable }: ListResult): void {
  for (const { target, error } of unavailable) {
    const message = `${target} was not looked at: ${error.message}`
    ctx.emit({ type: 'warning', code: 'target-unavailable', message })
  }
}

/** A file that cannot be read matters where it may be newer than what is taken. */
function tellUnreadable(ctx: Context, { unreadable }: ListResult, [first]: readonly Candidate[]): void {
  for (const { name, target, error } of unreadable) {
    if (first !== undefined && stampOf(name) < stampOf(first.archive.name)) continue
    const message = `${name} at ${target} was passed over: ${error.message}`
    ctx.emit({ type: 'warning', code: 'archive-unreadable', message })
  }
}

function stampOf(name: string): string {
  return /\d{8}T\d{6}Z/.exec(name)?.[0] ?? '9'
}

function whereText(places: readonly Target[]): string {
  return places.map(({ name, location }) => (name === location ? name : `${name} (${location})`)).join(', ')
}
