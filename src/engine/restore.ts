import path from 'node:path'
import { openFile, openStream } from '../archive/index.ts'
import type { ArchiveFile, OpenKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Manifest, ManifestSource } from '../manifest.ts'
import type { Member } from '../member.ts'
import type { Places } from '../profiles/examination.ts'
import type { Finding, SourceDriver } from '../sources/source.ts'
import type { ArchiveInput, FoundArchive } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { planDestinations } from './destinations.ts'
import { putOriginal } from './extract.ts'
import { checkSpace, goLive } from './go-live.ts'
import type { FolderAttributes } from './journal.ts'
import { summaryOf } from './inventory.ts'
import { Meter } from './meter.ts'
import { refuseOpenFiles } from './open-files.ts'
import type { Report, RestoreResult } from './report.ts'
import type { Run } from './run.ts'
import { runVerb } from './run.ts'
import { checkSymlink, StagedTree } from './staged-tree.ts'
import { planUnits, unitOf } from './units.ts'
import { enterWorkplace } from './workplace.ts'

export interface RestoreInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  /** Restore below this folder (`DIR/<source>/…`) instead of the original places. */
  readonly to?: string
  /** Member paths or source names: only these, each replaced as a whole. */
  readonly only?: readonly string[]
  /** Allow populated destinations: what is there is set aside in a dated folder. */
  readonly force?: boolean
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
    await using archive = await findArchive(ctx, input)
    const keys = await input.keys()
    const file = await openFile(archive.reader, keys, { signal: ctx.signal, name: archive.name })
    const manifest = await file.manifest()
    refuseOtherApplication(input, manifest)
    run.concerns({
      app: manifest.app,
      archive_id: file.header.id,
      target: archive.targetName,
      name: archive.name,
    })
    await using _workplace = await enterWorkplace(ctx, manifest.app, 'restore')
    const destinations = await plan(ctx, run, input, manifest)
    const staging: Staging = { ctx, run, input, manifest, archive, file, destinations }
    // Awaited here: without it the archive would be closed and the lock given back while it still works.
    return await restoreInto(staging)
  })
}

interface Staging {
  readonly ctx: Context
  readonly run: Run
  readonly input: RestoreInput
  readonly manifest: Manifest
  readonly archive: FoundArchive
  readonly file: ArchiveFile
  readonly destinations: readonly Destination[]
}

async function plan(ctx: Context, run: Run, input: RestoreInput, manifest: Manifest): Promise<Destination[]> {
  const units = planUnits({
    manifest,
    sources: input.application?.sources ?? [],
    ...(input.to === undefined ? {} : { to: path.resolve(input.to) }),
    ...(input.only === undefined ? {} : { only: input.only }),
  })
  const destinations = await planDestinations(ctx, run.id, units)
  const populated = destinations.filter((d) => !d.nested && d.standing.populated).map((d) => d.destination)
  if (populated.length > 0 && input.force !== true)
    throw new SealiftError('DESTINATION_POPULATED', { paths: populated })
  await checkSpace(destinations)
  for (const guard of profileOf(ctx, manifest).guards ?? []) {
    if (guard.before === 'restore') await guard.run(livePlaces(destinations), ctx.signal)
  }
  await refuseHeldDatabases(ctx, destinations)
  return destinations
}

async function restoreInto(staging: Staging): Promise<RestoreResult> {
  const { ctx, run, input, manifest, archive, destinations } = staging
  const written = new Map<Destination, { members: number; bytes: number }>()
  const folders = new Map<Destination, Member>()
  let checks: Finding[] = []
  for (const { prefix, destination, standing } of destinations) {
    const then = standing.populated ? '; what is there is set aside first' : ''
    ctx.emit({ type: 'note', message: `${prefix} goes to ${destination}${then}` })
  }
  const setAside = await goLive(ctx, run, manifest.app, destinations, {
    stage: () => stageMembers(staging, written, folders),
    async approve() {
      checks = await checkStaged(staging)
      await refuseHeldDatabases(ctx, destinations)
    },
    attributesOf: (destination) => attributesOf(destination, folders.get(destination), input),
    sidecars: (place) => Object.values(ctx.sourceDrivers).flatMap((driver) => driver.staleSidecars(place)),
  })
  return {
    archive: summaryOf(
      ctx,
      archive.targetName,
      { name: archive.name, size: archive.reader.size },
      staging.file.header,
    ),
    restored: destinations.map((d) => ({
      source: d.prefix.split('/')[0] ?? d.prefix,
      path: d.destination,
      ...(written.get(d) ?? { members: 0, bytes: 0 }),
    })),
    set_aside: setAside,
    checks,
  }
}

/** A mount point keeps itself and gets its member's attributes; a folder that is made around a file gets its old ones. */
function attributesOf(
  destination: Destination,
  member: Member | undefined,
  input: RestoreInput,
): FolderAttributes | undefined {
  const { nested, standing, stagingFolder, recorded } = destination
  if (standing.kind === 'mount') return member && { ...member, path: destination.destination }
  const folder = path.dirname(destination.destination)
  const around = recorded?.place?.folder
  const isMade = nested || path.dirname(stagingFolder) !== folder
  if (around === undefined || input.to !== undefined || !isMade) return undefined
  return { ...around, path: folder, mode: Number.parseInt(around.mode, 8) }
}

async function stageMembers(
  { ctx, input, archive, file, destinations }: Staging,
  written: Map<Destination, { members: number; bytes: number }>,
  folders: Map<Destination, Member>,
): Promise<void> {
  const meter = new Meter(ctx, 'restore', `restoring ${archive.name}`, archive.reader.size)
  const tree = new StagedTree()
  const stagedAt = new Map<string, string>()
  try {
    await using stream = await openStream(archive.reader.stream(ctx.signal), [file.key], {
      signal: ctx.signal,
      name: archive.name,
    })
    for await (const streamed of stream.members()) {
      const { member } = streamed
      meter.at(stream.bytesIn)
      const destination = unitOf(destinations, member.path)
      if (destination === undefined) continue
      const at = path.join(destination.staged, member.path.slice(destination.prefix.length))
      if (member.type === 'symlink' && input.allowOutsideLinks !== true)
        checkSymlink(member.path, member.link ?? '')
      if (member.path === destination.prefix && member.type === 'directory') folders.set(destination, member)
      const owner = ctx.privileged ? { owner: { uid: member.uid, gid: member.gid } } : {}
      const original = member.type === 'hardlink' ? stagedAt.get(member.link ?? '') : undefined
      if (original !== undefined) await tree.putLink(at, original)
      else if (member.type === 'hardlink') await putOriginal(tree, at, { ...member, ...owner }, file)
      else
        await tree.put(at, { ...member, ...owner }, member.type === 'file' ? streamed.content() : undefined)
      if (member.type === 'file' || member.type === 'hardlink') stagedAt.set(member.path, at)
      const counted = written.get(destination) ?? { members: 0, bytes: 0 }
      written.set(destination, { members: counted.members + 1, bytes: counted.bytes + member.size })
    }
    for (const { prefix } of destinations.filter((d) => !written.has(d))) {
      throw new SealiftError('MEMBER_NOT_FOUND', { path: prefix })
    }
    await tree.finish()
  } finally {
    await tree.abandon()
  }
}

async function checkStaged({ ctx, manifest, destinations, run }: Staging): Promise<Finding[]> {
  ctx.emit({ type: 'phase', phase: 'check', label: 'checking the restored data' })
  const findings: Finding[] = []
  const staged = new Map<string, string>()
  for (const destination of destinations) {
    if (destination.recorded === undefined) continue
    const at = stagedPathOf(destination, destination.recorded)
    staged.set(destination.recorded.name, at)
    const driver = driverOf(ctx, destination.recorded)
    const found = await driver.checkRestored(at, destination.recorded, ctx.signal)
    const { name } = destination.recorded
    findings.push(...found.map((finding) => ({ ...finding, check: `${name} ${finding.check}` })))
  }
  for (const check of profileOf(ctx, manifest).checks ?? []) {
    findings.push(...(await check.run(staged, manifest, ctx.signal)))
  }
  const failed = findings
    .filter((finding) => finding.verdict === 'fail')
    .map((f) => `${f.check}: ${f.detail}`)
  if (failed.length > 0) throw new SealiftError('CHECK_FAILED', { failed })
  for (const { check, verdict, detail } of findings) {
    if (verdict === 'attention') run.warn({ code: 'check-attention', message: `${check}: ${detail}` })
  }
  return findings
}

/** Where the data of whole sources goes. */
function livePlaces(destinations: readonly Destination[]): Places {
  return new Map(
    destinations.flatMap(({ recorded, destination }) =>
      recorded === undefined ? [] : [[recorded.name, destination] as const],
    ),
  )
}

/** Where a source's own data is staged: below `--to` a single file lies in a folder named after the source. */
function stagedPathOf({ staged, prefix }: Destination, recorded: ManifestSource): string {
  const inFolder = recorded.place?.type === 'file' && prefix === recorded.name
  return inFolder ? path.join(staged, path.basename(recorded.place.path)) : staged
}

function driverOf(ctx: Context, recorded: ManifestSource): SourceDriver {
  const driver = ctx.sourceDrivers[recorded.kind]
  if (driver === undefined) {
    const reason = `this Sealift knows no source of kind ${recorded.kind}`
    throw new SealiftError('DESTINATION_REFUSED', { path: recorded.name, reason })
  }
  return driver
}

function profileOf(ctx: Context, manifest: Manifest): Context['profiles'][string] {
  const profile = ctx.profiles[manifest.profile]
  if (profile === undefined)
    throw new SealiftError('USAGE', { reason: `this Sealift knows no profile ${manifest.profile}` })
  return profile
}

async function refuseHeldDatabases(ctx: Context, destinations: readonly Destination[]): Promise<void> {
  const files = destinations.filter((d) => d.recorded?.kind === 'sqlite').flatMap((d) => [d.destination])
  await refuseOpenFiles(files, ctx.pid)
}

function refuseOtherApplication(input: RestoreInput, manifest: Manifest): void {
  const app = input.application?.app
  if (app === undefined || app === manifest.app || input.to !== undefined) return
  const reason = `the archive holds ${manifest.app}, and the configuration is that of ${app}; use --to DIR, or name the right --config`
  throw new SealiftError('USAGE', { reason })
}
