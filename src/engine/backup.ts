import { makeKeys, sealWith } from '../archive/index.ts'
import type { SealSummary, SlotKey } from '../archive/index.ts'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { Facts, Manifest, ManifestSource, Warning } from '../manifest.ts'
import type { SnapshotDescription } from '../sources/source.ts'
import type { StoredObject, StoredWriter, Target } from '../targets/target.ts'
import { archiveRecord } from './archive-record.ts'
import type { Application, Context } from './context.ts'
import { deliver } from './deliver.ts'
import { examineSnapshots, placesOf } from './examine.ts'
import type { Examined } from './examine.ts'
import { proveToo } from './evidence.ts'
import { planForeign, writeForeign } from './foreign-backup.ts'
import type { ForeignChoice, ForeignPlan } from './foreign-backup.ts'
import { summaryOf } from './inventory.ts'
import { Meter } from './meter.ts'
import { backupProof } from './proofs.ts'
import { pruneAfter, readsBack } from './prune-after.ts'
import { readBack } from './read-back.ts'
import type { BackupResult, Report } from './report.ts'
import type { Run } from './run.ts'
import { remember, runVerb } from './run.ts'
import { manifestSource, sealSource } from './seal-source.ts'
import type { Rewrite } from './seal-source.ts'
import { surroundingsOf } from './surroundings.ts'
import { estimate, takeSnapshots } from './snapshots.ts'
import { keepStatus } from './status-file.ts'
import { compactTime, rfc3339 } from './time.ts'
import { enterWorkplace } from './workplace.ts'

export interface BackupInput {
  readonly application: Application
  /** Every way to open the archive: at least one. */
  readonly slots: () => Promise<readonly SlotKey[]>
  /** Read every tag and checksum back afterwards, with the passphrase it was sealed with. */
  readonly verify?: boolean
  /** Read it back, and end with retention if it is good; absent leaves it to the retention's own `after_backup`. */
  readonly prune?: boolean
  /** Archive files as they are: nothing that the profile would redact is. */
  readonly unredacted?: boolean
  /** Write an archive for another program instead of a sealed one. */
  readonly foreign?: ForeignChoice
}

/**
 * Seals an application: snapshots of all its sources at about one moment, then one archive that appears at the first
 * target that serves only when it is complete and durable, then a copy at each further target, then retention.
 */
export async function backup(ctx: Context, input: BackupInput): Promise<Report<BackupResult>> {
  return runVerb(ctx, 'backup', async (run) => {
    const { application } = input
    if (application.targets.length === 0)
      throw new SealiftError('USAGE', { reason: 'the configuration names no target' })
    run.concerns({ app: application.app })
    keepStatus(ctx, run, application)
    await using workplace = await enterWorkplace(ctx, application.app, 'backup')
    for (const guard of application.profile.guards ?? []) {
      if (guard.before === 'backup') await guard.run(placesOf(application), ctx.signal, surroundingsOf(ctx))
    }
    const slots = await input.slots()
    const ownKeys = slots.filter((slot) => slot.type === 'passphrase')
    const reading = readsBack(input, run, ownKeys)
    const foreign = await foreignPlan(ctx, run, input, slots)
    const { scratch } = workplace
    const delivered = await deliver(ctx, run, application, async (target) => {
      const sealing =
        foreign === undefined
          ? await sealApplication({ ctx, run, input, target, slots, scratch })
          : await writeForeign(ctx, run, application, foreign, { target, scratch })
      const archive = summaryOf(ctx, target.name, sealing.object, sealing.header)
      const { app } = application
      run.concerns({
        app,
        target: target.name,
        archive_id: archive.id,
        name: archive.name,
        bytes: archive.size,
      })
      remember(run, () => ctx.catalog.recordArchive(archiveRecord(ctx, app, archive, sealing.examined)))
      const verified = reading ? { verified: await readBack(ctx, run, target, archive, ownKeys) } : {}
      return { app, from: target, archive, examined: sealing.examined, sealing, ...verified }
    })
    const { written, copies, placements } = delivered
    const { sealing, examined, from } = written
    const pruned = await pruneAfter(ctx, run, { input, ownKeys, delivered })
    const result: BackupResult = {
      archive: summaryOf(ctx, from.name, sealing.object, sealing.header),
      payload_bytes: sealing.summary.payloadSize,
      members: sealing.summary.members,
      sources: sealing.manifest.sources.map(briefSource),
      copies,
      placements,
      ...(examined === undefined ? {} : { verdict: examined.verdict, findings: examined.findings }),
      ...(pruned === undefined ? {} : { pruned }),
      state: reading ? 'verified' : 'written',
    }
    if (reading) proveToo(ctx, run, application.app, backupProof(result))
    return result
  })
}

async function foreignPlan(
  ctx: Context,
  run: Run,
  { application, foreign, unredacted }: BackupInput,
  slots: readonly SlotKey[],
): Promise<ForeignPlan | undefined> {
  if (foreign === undefined) return undefined
  if (unredacted === true) {
    const reason = `what the profile redacts stays out of every archive of ${foreign.format}: only a sealed one may keep it`
    throw new SealiftError('USAGE', { reason })
  }
  return planForeign(ctx, run, application, foreign, slots)
}

interface Sealed {
  readonly object: StoredObject
  readonly summary: SealSummary
  readonly manifest: Manifest
  readonly header: { readonly id: string; readonly createdAt: string }
  readonly examined: Examined | undefined
}

interface Sealing {
  readonly ctx: Context
  readonly run: Run
  readonly input: BackupInput
  readonly target: Target
  readonly slots: readonly SlotKey[]
  readonly scratch: string
}

async function sealApplication({ ctx, run, input, target, slots, scratch }: Sealing): Promise<Sealed> {
  const { application, unredacted = false } = input
  const { app, sources, compression, profile } = application
  const started = ctx.now()
  const keys = makeKeys({ slots, random: ctx.random, signal: ctx.signal })
  keys.catch(() => undefined) // thrown where it is awaited
  const claimed = new Set(sources.flatMap((source) => source.claims()))
  const expected = await estimate(ctx, sources, claimed)
  await using snapshots = await takeSnapshots(ctx, application, scratch, claimed)
  const examined = await examineSnapshots(ctx, run, application, snapshots.taken, !unredacted)
  await using writer = await createArchive(ctx, target, app, expected)
  const createdAt = ctx.now()
  await using sealer = await sealWith(await keys, {
    out: writer.stream,
    createdAt,
    writer: `sealift/${ctx.version}`,
    compression,
    signal: ctx.signal,
  })
  const meter = new Meter(ctx, 'seal', `sealing ${app}`, expected)
  const recorded: ManifestSource[] = []
  const described = new Map<string, SnapshotDescription>()
  const warnings: Warning[] = []
  const rewrite: Rewrite | undefined = unredacted ? undefined : profile.rewrite?.bind(profile)
  for (const { source, snapshot } of snapshots.taken) {
    const counted = await sealSource(sealer, source, snapshot, meter, rewrite)
    const description = snapshot.describe()
    described.set(source.name, description)
    for (const warning of description.warnings) {
      const named = { source: source.name, ...warning }
      warnings.push(named)
      run.warn(named)
    }
    recorded.push(await manifestSource(source, snapshot, description, counted))
  }
  const facts = (await profile.facts?.(described, ctx.signal)) ?? {}
  const manifest: Manifest = {
    manifest: 1,
    archive_id: sealer.id,
    kind: 'backup',
    app,
    profile: profile.name,
    host: ctx.host,
    started_at: rfc3339(started),
    finished_at: rfc3339(ctx.now()),
    tool: { name: 'sealift', version: ctx.version },
    sources: recorded
      .map((source) => withFacts(source, facts[source.name]))
      .map((source) => withFacts(source, examined?.source === source.name ? examined.facts : undefined)),
    warnings,
  }
  const summary = await sealer.finish(manifest)
  const object = await writer.commit()
  return { object, summary, manifest, header: { id: sealer.id, createdAt: rfc3339(createdAt) }, examined }
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

function withFacts(source: ManifestSource, facts: Facts | undefined): ManifestSource {
  return facts === undefined ? source : { ...source, facts: { ...source.facts, ...facts } }
}

function briefSource(source: ManifestSource): BackupResult['sources'][number] {
  const { name, kind, members, bytes, rows } = source
  const total = rows === undefined ? undefined : Object.values(rows).reduce((sum, count) => sum + count, 0)
  return { name, kind, members, bytes, ...(total === undefined ? {} : { rows: total }) }
}
