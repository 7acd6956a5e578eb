import { readdir, statfs } from 'node:fs/promises'
import path from 'node:path'
import { isSealiftError, reasonOf, SealiftError } from '../errors.ts'
import type { Place } from '../sources/source.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { isPassedOver } from './destinations.ts'
import type { FolderAttributes, Move, RestoreJournal } from './journal.ts'
import { journalPath, readJournals, removeJournal, syncFolder, writeJournal } from './journal.ts'
import type { Run } from './run.ts'
import { named } from './run.ts'
import { exists, removeStaging, swap, tidySwap } from './swap.ts'

/** What is between staging and going live: writing the members, and what must hold before the swap. */
export interface Steps {
  /** Writes and verifies everything into the staged places. */
  stage(): Promise<void>
  /** Where all goes in the end, in the same folders as planned. Throws when the staged data must not go live. */
  approve(): Promise<readonly Destination[]>
  /** What a folder is given after the swap: one that stays itself (a mount point), one that is made around a file. */
  attributesOf(destination: Destination): FolderAttributes | undefined
  /** Sidecars that must not survive beside a destination. */
  sidecars(place: Place): readonly string[]
}

/**
 * Brings destinations from what they are to what the archive holds, or leaves them as they were. Returns the dated
 * folders that now hold the old state. At every moment a journal on disk says what a later start has to do.
 */
export async function goLive(
  ctx: Context,
  run: Run,
  app: string,
  destinations: readonly Destination[],
  steps: Steps,
): Promise<string[]> {
  const staging = [...new Set(destinations.map((d) => d.stagingFolder))]
  const asides = [...new Set(destinations.map((d) => d.asideFolder))]
  for (const aside of asides) {
    if (await exists(aside)) {
      throw new SealiftError('DESTINATION_REFUSED', {
        path: aside,
        reason: 'another restore made it this second',
      })
    }
  }
  const begun: RestoreJournal = {
    journal: 1,
    app,
    run: run.id,
    state: 'staging',
    staging,
    asides,
    moves: [],
    attributes: [],
  }
  let journal = begun
  try {
    await writeJournal(ctx.stateDir, begun)
    await steps.stage()
    const approved = await steps.approve()
    ctx.signal.throwIfAborted()
    journal = { ...begun, state: 'swapping', ...(await planMoves(approved, steps)) }
    // The staging's own name, before a journal promises that it is there.
    for (const folder of staging) await syncFolder(path.dirname(folder))
    await writeJournal(ctx.stateDir, journal)
    ctx.emit({ type: 'phase', phase: 'swap', label: 'going live' })
    await swap(journal, journalPath(ctx.stateDir, journal))
  } catch (error) {
    if (isSealiftError(error, 'RECOVERY_NEEDED')) throw error
    await withdraw(ctx, run, journal, begun, error)
    throw error
  }
  try {
    await tidySwap(journal, ctx.privileged)
    await removeJournal(ctx.stateDir, journal)
  } catch (error) {
    const message = `all is in its place; what remains to be cleared up failed (${reasonOf(error)}), and the next start ends it`
    run.warn({ code: 'cleanup-incomplete', message })
    run.fail(named(error))
  }
  const kept: string[] = []
  for (const aside of asides) if (await exists(aside)) kept.push(aside)
  return kept
}

/** Nothing went live, or all of it was undone: the staged data goes, then the journal. */
async function withdraw(
  ctx: Context,
  run: Run,
  journal: RestoreJournal,
  begun: RestoreJournal,
  cause: unknown,
): Promise<void> {
  try {
    // Before anything is removed: a start that found it `swapping` would finish the moves with what is left.
    if (journal.state === 'swapping') await writeJournal(ctx.stateDir, begun)
  } catch (error) {
    // On a full disk it may be the earlier one still: then `swapping` was never noted.
    const noted = await readJournals(ctx.stateDir, begun.app).catch(() => [])
    if (noted.find(({ run: id }) => id === begun.run)?.state === 'staging') return clearAway(ctx, run, begun)
    const reason = `${reasonOf(cause)}; the old state is in its place, but that could not be noted: ${reasonOf(error)}`
    throw new SealiftError('RECOVERY_NEEDED', { journal: journalPath(ctx.stateDir, journal), reason }, error)
  }
  await clearAway(ctx, run, begun)
}

async function clearAway(ctx: Context, run: Run, begun: RestoreJournal): Promise<void> {
  try {
    await removeStaging(begun)
    await removeJournal(ctx.stateDir, begun)
  } catch (error) {
    const message = `what was staged could not be removed (${reasonOf(error)}); the next start removes it`
    run.warn({ code: 'cleanup-incomplete', message })
  }
}

async function planMoves(
  destinations: readonly Destination[],
  steps: Steps,
): Promise<{ moves: Move[]; attributes: FolderAttributes[] }> {
  const moves: Move[] = []
  const attributes: FolderAttributes[] = []
  for (const destination of destinations) {
    const folder = steps.attributesOf(destination)
    if (folder !== undefined) attributes.push(folder)
    if (destination.nested) {
      moves.push({ kind: 'place', from: destination.staged, to: destination.destination })
      continue
    }
    const { staged, destination: live, asideFolder, standing } = destination
    const aside = (from: string): Move => ({
      kind: 'aside',
      from,
      to: path.join(asideFolder, path.basename(from)),
    })
    for (const sidecar of sidecarsOf(destination, steps))
      if (await exists(sidecar)) moves.push(aside(sidecar))
    if (standing.kind === 'mount') {
      const old = (await readdir(live)).filter((name) => !isPassedOver(name))
      const fresh = await readdir(staged)
      moves.push(...old.map((name) => aside(path.join(live, name))))
      moves.push(
        ...fresh.map((name): Move => ({
          kind: 'place',
          from: path.join(staged, name),
          to: path.join(live, name),
        })),
      )
      continue
    }
    if (standing.kind !== 'nothing') moves.push(aside(live))
    moves.push({ kind: 'place', from: staged, to: live })
  }
  return { moves, attributes }
}

function sidecarsOf({ recorded, destination, standing }: Destination, steps: Steps): readonly string[] {
  if (recorded?.place?.type !== 'file' || standing.kind === 'folder' || standing.kind === 'mount') return []
  return steps.sidecars({ path: destination, type: 'file' })
}

/** DISK_FULL before the first byte when a destination's file system cannot hold what it would be given. */
export async function checkSpace(destinations: readonly Destination[]): Promise<void> {
  const needed = new Map<string, number>()
  for (const { stagingFolder, recorded } of destinations) {
    const base = path.dirname(stagingFolder)
    needed.set(base, (needed.get(base) ?? 0) + (recorded?.bytes ?? 0))
  }
  for (const [base, bytes] of needed) {
    const { bavail, bsize } = await statfs(base)
    const free = bavail * bsize
    if (bytes > free) throw new SealiftError('DISK_FULL', { path: base, needed: bytes, free })
  }
}
