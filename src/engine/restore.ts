import path from 'node:path'
import { openFile } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { Member } from '../member.ts'
import type { Settings } from '../profiles/arrangement.ts'
import { approve, livePlaces, profileOf } from './approve.ts'
import type { Approval } from './approve.ts'
import type { ArchiveInput, FoundArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { planDestinations } from './destinations.ts'
import { checkSpace, goLive } from './go-live.ts'
import { movedInto } from './into.ts'
import { proveToo } from './evidence.ts'
import type { FolderAttributes } from './journal.ts'
import { openArchive, summaryOfFound } from './open-archive.ts'
import { refuseOpenFiles } from './open-files.ts'
import { restoreProof } from './proofs.ts'
import type { Report, RestoreResult } from './report.ts'
import { recordKnown } from './retention-knowledge.ts'
import type { Run } from './run.ts'
import { runVerb } from './run.ts'
import { stageMembers } from './stage.ts'
import type { Written } from './stage.ts'
import { keepStatus } from './status-file.ts'
import { Stopwatch } from './stopwatch.ts'
import { surroundingsOf } from './surroundings.ts'
import { planUnits } from './units.ts'
import { enterWorkplace } from './workplace.ts'

export interface RestoreInput extends ArchiveInput, RestoreChoices {
  readonly keys: () => Promise<readonly OpenKey[]>
}

/** What goes where, and what is allowed on the way. */
export interface RestoreChoices extends Pick<ArchiveInput, 'application'> {
  /** Restore below this folder (`DIR/<source>/…`) instead of the original places. */
  readonly to?: string
  /** Member paths or source names: only these, each replaced as a whole. */
  readonly only?: readonly string[]
  /** Allow populated destinations: what is there is set aside in a dated folder. */
  readonly force?: boolean
  /** Findings of the profile that do not stop this restore, by their words. */
  readonly accept?: readonly string[]
  /** The application's own folder on this host, when it is not where it was. */
  readonly into?: string
  /** What the operator says of this host. */
  readonly settings?: Settings
  /** Allow symlinks that are absolute or leave their source. */
  readonly allowOutsideLinks?: boolean
}

/**
 * Brings an application back. Everything is staged beside its place and verified to the last tag and checksum before
 * anything live is touched; then the old state is set aside and the new one renamed into place. A failure at any point
 * leaves the old state; a kill leaves a journal that the next start works off.
 */
export async function restore(ctx: Context, input: RestoreInput): Promise<Report<RestoreResult>> {
  return runVerb(ctx, 'restore', async (run) => {
    keepStatus(ctx, run, input.application)
    const folder = input.into ?? input.to
    const at = folder === undefined ? {} : { folder: path.resolve(folder) }
    await using archive = await openArchive(ctx, { ...input, ...at })
    return await restoreArchive(ctx, run, input, archive, archive.keys)
  })
}

/** All of a restore but finding the archive: also what a drill does in a scratch folder. */
export async function restoreArchive(
  ctx: Context,
  run: Run,
  input: RestoreChoices,
  archive: FoundArchive,
  keys: readonly OpenKey[],
): Promise<RestoreResult> {
  const stopwatch = new Stopwatch(ctx.now)
  const file = await openFile(archive.reader, keys, { signal: ctx.signal, name: archive.name })
  const manifest = await file.manifest()
  refuseOtherApplication(input, manifest)
  run.concerns({
    app: manifest.app,
    archive_id: file.header.id,
    target: archive.targetName,
    name: archive.name,
  })
  await using workplace = await enterWorkplace(ctx, manifest.app, 'restore')
  const planned = await plan(ctx, run, input, manifest, archive.foreign === undefined)
  stopwatch.lap('open')
  const { allowOutsideLinks = false, accept = [], settings = {} } = input
  const inPlace = input.to === undefined
  let written = new Map<string, Written>()
  let approval: Approval | undefined
  for (const { prefix, destination, standing } of planned) {
    const then = standing.populated ? '; what is there is set aside first' : ''
    ctx.emit({ type: 'note', message: `${prefix} goes to ${destination}${then}` })
  }
  const setAside = await goLive(ctx, run, manifest.app, planned, {
    async stage() {
      written = await stageMembers({ ctx, archive, file, destinations: planned, allowOutsideLinks })
      stopwatch.lap('restore')
    },
    async approve() {
      const { scratch } = workplace
      approval = await approve({
        ctx,
        run,
        manifest,
        destinations: planned,
        accept,
        settings,
        inPlace,
        scratch,
      })
      await refuseHeldDatabases(ctx, planned)
      stopwatch.lap('check')
      return approval.destinations
    },
    attributesOf: (destination) =>
      attributesOf(destination, written.get(destination.prefix)?.folder, input, approval?.around),
    sidecars: (place) => Object.values(ctx.sourceDrivers).flatMap((driver) => driver.staleSidecars(place)),
  })
  stopwatch.lap('swap')
  const result: RestoreResult = {
    archive: summaryOfFound(ctx, archive, file.header),
    in_place: inPlace,
    restored: (approval?.destinations ?? []).map((d) => ({
      source: d.prefix.split('/')[0] ?? d.prefix,
      path: d.destination,
      members: written.get(d.prefix)?.members ?? 0,
      bytes: written.get(d.prefix)?.bytes ?? 0,
    })),
    set_aside: setAside,
    checks: approval?.checks ?? [],
    blocked: approval?.blocked ?? [],
    undone: approval?.undone ?? [],
    steps: stopwatch.laps,
  }
  // A foreign archive brings no facts: what was found in it is what a later check compares with.
  if (archive.foreign !== undefined && approval?.judged !== undefined)
    recordKnown(ctx, run, manifest.app, result.archive, approval.judged)
  proveToo(ctx, run, manifest.app, restoreProof(result))
  return result
}

async function plan(
  ctx: Context,
  run: Run,
  input: RestoreChoices,
  manifest: Manifest,
  papers: boolean,
): Promise<Destination[]> {
  const profile = profileOf(ctx, manifest)
  const units = planUnits({
    manifest: input.into === undefined ? manifest : movedInto(manifest, profile, path.resolve(input.into)),
    sources: input.into === undefined ? (input.application?.sources ?? []) : [],
    ...(input.to === undefined ? {} : { to: path.resolve(input.to) }),
    ...(input.only === undefined ? {} : { only: input.only }),
    papers,
  })
  const destinations = await planDestinations(ctx, run.id, units)
  const populated = destinations.filter((d) => !d.nested && d.standing.populated).map((d) => d.destination)
  if (populated.length > 0 && input.force !== true)
    throw new SealiftError('DESTINATION_POPULATED', { paths: populated })
  await checkSpace(destinations)
  for (const guard of profile.guards ?? []) {
    if (guard.before !== 'restore' || input.to !== undefined) continue
    if (input.accept?.includes(guard.name) === true) {
      run.warn({ code: 'guard-accepted', message: `not asked, because it was accepted: ${guard.name}` })
    } else {
      await guard.run(livePlaces(destinations), ctx.signal, surroundingsOf(ctx))
    }
  }
  await refuseHeldDatabases(ctx, destinations)
  return destinations
}

/**
 * A mount point keeps itself and gets its member's attributes; the folder around a file gets what the profile wants, or
 * its old ones where it is made.
 */
function attributesOf(
  destination: Destination,
  member: Member | undefined,
  input: Pick<RestoreInput, 'to'>,
  arounds: Approval['around'] = new Map(),
): FolderAttributes | undefined {
  const { nested, standing, stagingFolder, recorded } = destination
  if (standing.kind === 'mount') return member && { ...member, path: destination.destination }
  const folder = path.dirname(destination.destination)
  const arranged = arounds.get(recorded?.name ?? '')
  if (arranged !== undefined) return { ...arranged, path: folder }
  const around = recorded?.place?.folder
  const isMade = nested || path.dirname(stagingFolder) !== folder
  if (around === undefined || input.to !== undefined || !isMade) return undefined
  return { ...around, path: folder, mode: Number.parseInt(around.mode, 8) }
}

async function refuseHeldDatabases(ctx: Context, destinations: readonly Destination[]): Promise<void> {
  const files = destinations.filter((d) => d.recorded?.kind === 'sqlite').flatMap((d) => [d.destination])
  await refuseOpenFiles(files, ctx.pid)
}

function refuseOtherApplication(input: RestoreChoices, manifest: Manifest): void {
  const app = input.application?.app
  if (app === undefined || app === manifest.app || input.to !== undefined) return
  const reason = `the archive holds ${manifest.app}, and the configuration is that of ${app}; use --to DIR, or name the right --config`
  throw new SealiftError('USAGE', { reason })
}
