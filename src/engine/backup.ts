import { stat } from 'node:fs/promises'
import path from 'node:path'
import { seal } from '../archive/index.ts'
import type { OpenKey, Sealer, SealSummary, SlotKey } from '../archive/index.ts'
import type { ArchiveRecord } from '../catalog/catalog.ts'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { Facts, Manifest, ManifestSource, Warning } from '../manifest.ts'
import type { Places } from '../profiles/examination.ts'
import type { Place, Snapshot, SnapshotDescription, Source } from '../sources/source.ts'
import type { StoredObject, StoredWriter, Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { copyArchive } from './copy.ts'
import { summaryOf } from './inventory.ts'
import { Meter } from './meter.ts'
import type { ArchiveSummary, BackupResult, Report } from './report.ts'
import type { Run } from './run.ts'
import { remember, runVerb } from './run.ts'
import { compactTime, rfc3339 } from './time.ts'
import { markVerified, verifyArchive } from './verify.ts'
import { enterWorkplace } from './workplace.ts'

export interface BackupInput {
  readonly application: Application
  /** Every way to open the archive: at least one. */
  readonly slots: () => Promise<readonly SlotKey[]>
  /** Read every tag and checksum back afterwards, with the passphrase it was sealed with. */
  readonly verify?: boolean
}

/**
 * Seals an application: snapshots of all its sources at about one moment, then one archive that appears at the first
 * target only when it is complete and durable, then a copy at each further target.
 */
export async function backup(ctx: Context, input: BackupInput): Promise<Report<BackupResult>> {
  return runVerb(ctx, 'backup', async (run) => {
    const { application } = input
    const [first, ...others] = application.targets
    if (first === undefined) throw new SealiftError('USAGE', { reason: 'the configuration names no target' })
    run.concerns({ app: application.app, target: first.name })
    await using workplace = await enterWorkplace(ctx, application.app, 'backup')
    await first.sweep(ctx.signal)
    for (const guard of application.profile.guards ?? []) {
      if (guard.before === 'backup') await guard.run(placesOf(application), ctx.signal)
    }
    const slots = await input.slots()
    const ownKeys = slots.filter((slot) => slot.type === 'passphrase')
    if (input.verify === true && ownKeys.length === 0) {
      const reason =
        'reading back needs a passphrase: a recipient can only seal; run `sealift verify` where the secret key is'
      throw new SealiftError('USAGE', { reason })
    }
    const sealing = await sealApplication(ctx, run, application, first, slots, workplace.scratch)
    const archive = summaryOf(ctx, first.name, sealing.object, sealing.header)
    run.concerns({ app: application.app, archive_id: archive.id, name: archive.name, bytes: archive.size })
    remember(run, () => ctx.catalog.recordArchive(recordOf(ctx, application.app, archive)))
    if (input.verify === true) await readBack(ctx, run, first, archive, ownKeys)
    const copies: BackupResult['copies'][number][] = []
    for (const target of others)
      copies.push(await copyArchive(ctx, run, application.app, first, archive, target))
    return {
      archive: summaryOf(ctx, first.name, sealing.object, sealing.header),
      payload_bytes: sealing.summary.payloadSize,
      members: sealing.summary.members,
      sources: sealing.manifest.sources.map(briefSource),
      copies,
      state: input.verify === true ? 'verified' : 'written',
    }
  })
}

function placesOf({ sources }: Application): Places {
  return new Map(sources.map(({ name, place }) => [name, place.path]))
}

function recordOf(ctx: Context, app: string, archive: ArchiveSummary): ArchiveRecord {
  const { id, target, name, created_at, size } = archive
  return { archive_id: id, app, target, name, created_at, size, written_at: rfc3339(ctx.now()) }
}

async function readBack(
  ctx: Context,
  run: Run,
  target: Target,
  archive: ArchiveSummary,
  keys: readonly OpenKey[],
): Promise<void> {
  await using reader = await target.open(archive.name, ctx.signal)
  await verifyArchive(ctx, reader, archive.name, keys)
  markVerified(ctx, run, archive.id, target.name)
}

interface Sealed {
  readonly object: StoredObject
  readonly summary: SealSummary
  readonly manifest: Manifest
  readonly header: { readonly id: string; readonly createdAt: string }
}

async function sealApplication(
  ctx: Context,
  run: Run,
  application: Application,
  target: Target,
  slots: readonly SlotKey[],
  scratch: string,
): Promise<Sealed> {
  const { app, sources, compression } = application
  const started = ctx.now()
  const claimed = new Set(sources.flatMap((source) => source.claims()))
  const expected = await estimate(ctx, sources, claimed)
  await using snapshots = await takeSnapshots(ctx, sources, scratch, claimed)
  await using writer = await createArchive(ctx, target, app, expected)
  const createdAt = ctx.now()
  await using sealer = await seal({
    out: writer.stream,
    slots,
    createdAt,
    writer: `sealift/${ctx.version}`,
    compression,
    random: ctx.random,
    signal: ctx.signal,
  })
  const meter = new Meter(ctx, 'seal', `sealing ${app}`, expected)
  const recorded: ManifestSource[] = []
  const described = new Map<string, SnapshotDescription>()
  const warnings: Warning[] = []
  for (const { source, snapshot } of snapshots.taken) {
    const counted = await sealSource(sealer, source, snapshot, meter)
    const description = snapshot.describe()
    described.set(source.name, description)
    for (const warning of description.warnings) {
      const named = { source: source.name, ...warning }
      warnings.push(named)
      run.warn(named)
    }
    recorded.push(await manifestSource(source, snapshot, description, counted))
  }
  const facts = (await application.profile.facts?.(described, ctx.signal)) ?? {}
  const manifest: Manifest = {
    manifest: 1,
    archive_id: sealer.id,
    kind: 'backup',
    app,
    profile: application.profile.name,
    host: ctx.host,
    started_at: rfc3339(started),
    finished_at: rfc3339(ctx.now()),
    tool: { name: 'sealift', version: ctx.version },
    sources: recorded.map((source) => withFacts(source, facts[source.name])),
    warnings,
  }
  const summary = await sealer.finish(manifest)
  const object = await writer.commit()
  return { object, summary, manifest, header: { id: sealer.id, createdAt: rfc3339(createdAt) } }
}

async function estimate(
  ctx: Context,
  sources: readonly Source[],
  claimed: ReadonlySet<string>,
): Promise<number> {
  ctx.emit({ type: 'phase', phase: 'prepare', label: 'looking at the sources' })
  let bytes = 0
  for (const source of sources) bytes += await source.estimate(ctx.signal, claimed)
  return bytes
}

interface Snapshots extends AsyncDisposable {
  readonly taken: readonly { readonly source: Source; readonly snapshot: Snapshot }[]
}

/** All snapshots before the first byte is sealed, so that they show about one moment; databases come first. */
async function takeSnapshots(
  ctx: Context,
  sources: readonly Source[],
  scratch: string,
  claimed: ReadonlySet<string>,
): Promise<Snapshots> {
  const stack = new AsyncDisposableStack()
  const taken: { source: Source; snapshot: Snapshot }[] = []
  try {
    for (const source of sources.toSorted(
      (a, b) => Number(b.claims().length > 0) - Number(a.claims().length > 0),
    )) {
      ctx.emit({ type: 'phase', phase: 'snapshot', label: `snapshot of ${source.name}` })
      const snapshot = await source.snapshot({ signal: ctx.signal, now: ctx.now, scratch, claimed })
      stack.use(snapshot)
      taken.push({ source, snapshot })
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
  return { taken, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** `<app>-<time>.sealift`; when that second is taken, a number is added: nothing is ever overwritten. */
async function createArchive(
  ctx: Context,
  target: Target,
  app: string,
  expectedSize: number,
): Promise<StoredWriter> {
  const base = `${app}-${compactTime(ctx.now())}`
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? `${base}.sealift` : `${base}-${attempt}.sealift`
    try {
      return await target.create(name, { expectedSize, signal: ctx.signal })
    } catch (error) {
      if (!isSealiftError(error, 'OBJECT_EXISTS') || attempt === 100) throw error
    }
  }
}

async function sealSource(
  sealer: Sealer,
  source: Source,
  snapshot: Snapshot,
  meter: Meter,
): Promise<{ members: number; bytes: number }> {
  let members = 0
  let bytes = 0
  if (snapshot.root !== undefined) {
    await sealer.add({ ...snapshot.root, path: source.name, type: 'directory', size: 0 })
    members++
  }
  for await (const { path: relative, content, size, link, ...rest } of snapshot.members()) {
    const inArchive = `${source.name}/${relative}`
    members++
    if (rest.type !== 'file') {
      const to = rest.type === 'hardlink' ? `${source.name}/${link ?? ''}` : link
      await sealer.add({ ...rest, path: inArchive, size: 0, ...(to === undefined ? {} : { link: to }) })
      continue
    }
    const before = sealer.bytesIn
    const body = meter.count(content?.() ?? empty())
    if (size === undefined) await sealer.addParts({ ...rest, path: inArchive }, body)
    else await sealer.add({ ...rest, path: inArchive, size }, body)
    bytes += size ?? sealer.bytesIn - before
  }
  return { members, bytes }
}

async function* empty(): AsyncIterable<Uint8Array> {
  // a file without content
}

async function manifestSource(
  source: Source,
  snapshot: Snapshot,
  description: SnapshotDescription,
  counted: { members: number; bytes: number },
): Promise<ManifestSource> {
  const { name, kind, place } = source
  const { versions, facts, rows } = description
  return {
    name,
    kind,
    place: { path: place.path, type: place.type, ...(await folderAround(place)) },
    snapshot_at: rfc3339(snapshot.takenAt),
    versions,
    ...(rows === undefined ? {} : { rows }),
    facts,
    ...counted,
  }
}

async function folderAround(place: Place): Promise<Pick<NonNullable<ManifestSource['place']>, 'folder'>> {
  if (place.type === 'directory') return {}
  const { mode, uid, gid } = await stat(path.dirname(place.path))
  return { folder: { mode: (mode & 0o7777).toString(8).padStart(4, '0'), uid, gid } }
}

function withFacts(source: ManifestSource, facts: Facts | undefined): ManifestSource {
  return facts === undefined ? source : { ...source, facts: { ...source.facts, ...facts } }
}

function briefSource(source: ManifestSource): BackupResult['sources'][number] {
  const { name, kind, members, bytes, rows } = source
  const total = rows === undefined ? undefined : Object.values(rows).reduce((sum, count) => sum + count, 0)
  return { name, kind, members, bytes, ...(total === undefined ? {} : { rows: total }) }
}
