import { openFile, openStream } from '../archive/index.ts'
import type { ArchiveFile, ArchiveHeader, OpenKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { IndexEntry } from '../member.ts'
import type { StoredReader } from '../targets/target.ts'
import type { ArchiveInput } from './archive-ref.ts'
import type { Application, Context } from './context.ts'
import { proveToo } from './evidence.ts'
import type { FoundArchive } from './found-archive.ts'
import { convertFound, formatOf } from './foreign-open.ts'
import { Meter } from './meter.ts'
import { openArchive, summaryOfFound } from './open-archive.ts'
import type { OpenArchive } from './open-archive.ts'
import { verifyProof } from './proofs.ts'
import type { Report, VerifyResult } from './report.ts'
import { knownFrom, recordKnown } from './retention-knowledge.ts'
import type { Run } from './run.ts'
import { remember, runVerb } from './run.ts'
import { keepStatus } from './status-file.ts'
import { noteUnreadable } from './unreadable.ts'
import { enterWorkplace } from './workplace.ts'

export interface VerifyInput extends ArchiveInput {
  readonly keys: () => Promise<readonly OpenKey[]>
  /** Compare a sample of members with what is live now. */
  readonly source?: boolean
}

/** How many members of each source `--source` compares. */
const sampleSize = 20

/**
 * Reads an archive back to its last byte: every tag, every checksum, every line of the index. Nothing is written but
 * the note in the catalogue and the evidence log that this archive was verified, or no longer is what it was.
 */
export async function verify(ctx: Context, input: VerifyInput): Promise<Report<VerifyResult>> {
  return runVerb(ctx, 'verify', async (run) => {
    await using found = await openArchive(ctx, input)
    keepStatus(ctx, run, input.application)
    const { manifest, ...verified } = await verifyOpen(ctx, run, input.application, found)
    if (input.source !== true) return verified
    if (input.application === undefined) {
      throw new SealiftError('USAGE', { reason: 'comparing with the live sources needs a configuration' })
    }
    const file = await openFile(found.reader, found.keys, { signal: ctx.signal, name: found.name })
    return { ...verified, live: await compareLive(ctx, input.application, file, manifest) }
  })
}

/** Verifies an open archive and records what that proved: at its target, and what it holds. */
export async function verifyOpen(
  ctx: Context,
  run: Run,
  application: Application | undefined,
  found: OpenArchive,
): Promise<Omit<VerifyResult, 'live'> & { readonly manifest: Manifest }> {
  const { header, manifest, members, bytes } = await readWhole(ctx, run, application, found, found.keys)
  const { app } = manifest
  run.concerns({ app, archive_id: header.id, target: found.targetName, name: found.name })
  if (found.target !== undefined) markVerified(ctx, run, header.id, found.target.name)
  const archive = summaryOfFound(ctx, found, header)
  const known = knownFrom(manifest)
  if (found.target !== undefined) {
    proveToo(ctx, run, app, verifyProof(archive, members, bytes))
    if (known !== undefined) recordKnown(ctx, run, app, archive, known)
  }
  return { archive, members, payload_bytes: bytes, manifest }
}

async function readWhole(
  ctx: Context,
  run: Run,
  application: Application | undefined,
  { reader, name, target }: FoundArchive,
  keys: readonly OpenKey[],
) {
  try {
    return await verifyArchive(ctx, reader, name, keys)
  } catch (error) {
    noteUnreadable(ctx, run, { app: application?.app, target: target?.name, name }, error)
    throw error
  }
}

/** Everything `verify` proves, for whoever holds an open archive: of another program’s all that a restore would take. */
export async function verifyArchive(
  ctx: Context,
  reader: StoredReader,
  name: string,
  keys: readonly OpenKey[],
): Promise<{ header: ArchiveHeader; manifest: Manifest; members: number; bytes: number }> {
  const format = await formatOf(ctx, reader, name)
  if (format !== undefined) {
    await using converted = await convertFound(ctx, {}, { reader, name }, format, keys)
    return await verifyArchive(ctx, converted.reader, name, [converted.key])
  }
  const meter = new Meter(ctx, 'verify', `verifying ${name}`, reader.size)
  await using stream = await openStream(reader.stream(ctx.signal), keys, { signal: ctx.signal, name })
  let members = 0
  let bytes = 0
  for await (const { member } of stream.members()) {
    members++
    bytes += member.size
    meter.at(stream.bytesIn)
  }
  return { header: stream.header, manifest: stream.manifest, members, bytes }
}

export function markVerified(ctx: Context, run: Run, archive_id: string, target: string): void {
  remember(run, () => ctx.catalog.markVerified({ archive_id, target, at: ctx.now() }))
}

async function compareLive(
  ctx: Context,
  application: Application,
  file: ArchiveFile,
  manifest: Manifest,
): Promise<NonNullable<VerifyResult['live']>> {
  await using workplace = await enterWorkplace(ctx, application.app, 'verify')
  const claimed = new Set(application.sources.flatMap((source) => source.claims()))
  const samples = await drawSamples(ctx, file)
  const live: NonNullable<VerifyResult['live']>[number][] = []
  for (const source of application.sources) {
    const recorded = manifest.sources.find(({ name }) => name === source.name)
    // What the profile rewrote on its way in is not what lies there, and is not meant to be.
    const rewritten = (path: string): boolean =>
      application.profile.rewrite?.(source.name, path.slice(source.name.length + 1)) !== undefined
    const sample = samples.get(source.name)?.filter(({ path }) => !rewritten(path))
    if (recorded === undefined || sample === undefined) continue
    const context = { signal: ctx.signal, now: ctx.now, scratch: workplace.scratch, claimed }
    const checks = await source.spotCheck(sample, recorded, context)
    live.push(...checks.map((check) => ({ source: source.name, ...check })))
  }
  return live
}

/** A fair sample of each source's files, in one pass over the index; paths are those of the archive. */
async function drawSamples(ctx: Context, file: ArchiveFile): Promise<Map<string, IndexEntry[]>> {
  const samples = new Map<string, { seen: number; kept: IndexEntry[] }>()
  for await (const entry of file.index()) {
    const slash = entry.path.indexOf('/')
    if (entry.type !== 'file' || slash === -1) continue
    const name = entry.path.slice(0, slash)
    const sample = samples.get(name) ?? { seen: 0, kept: [] }
    samples.set(name, sample)
    sample.seen++
    const at =
      sample.kept.length < sampleSize ? sample.kept.length : ctx.random(6).readUIntBE(0, 6) % sample.seen
    if (at < sampleSize) sample.kept[at] = entry
  }
  return new Map([...samples].map(([name, { kept }]) => [name, kept]))
}
