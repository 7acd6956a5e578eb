import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SealSummary, SlotKey } from '../archive/index.ts'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { Format, FormatEntry } from '../formats/format.ts'
import type { Manifest } from '../manifest.ts'
import type { ForeignLayout } from '../profiles/foreign.ts'
import type { Secret } from '../secret.ts'
import type { SourceMember } from '../sources/source.ts'
import type { StoredObject, StoredWriter, Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { examineSnapshots, placesOf } from './examine.ts'
import type { Examined } from './examine.ts'
import { foreignId } from './foreign-name.ts'
import { Meter } from './meter.ts'
import type { Run } from './run.ts'
import { manifestSource, wholeFile } from './seal-source.ts'
import { estimate, takeSnapshots } from './snapshots.ts'
import type { Taken } from './snapshots.ts'
import { rfc3339 } from './time.ts'

/** Which archive another program is to be able to read. */
export interface ForeignChoice {
  readonly format: string
  /** Of the profile's layouts; the application's usual one unless told otherwise. */
  readonly layout?: string
}

/** How it is written: the choice, judged. */
export interface ForeignPlan {
  readonly format: Format
  readonly layout: ForeignLayout
  readonly passphrase: Secret
}

/** Judges a choice before anything is done. USAGE where the profile has no such archives, or nothing but recipients. */
export async function planForeign(
  ctx: Context,
  run: Run,
  application: Application,
  { format: wanted, layout: named }: ForeignChoice,
  slots: readonly SlotKey[],
): Promise<ForeignPlan> {
  const { profile, sources } = application
  const usage = (reason: string) => new SealiftError('USAGE', { reason })
  const format = ctx.formats.find(({ name }) => name === wanted)
  const { foreign } = profile
  if (format === undefined || foreign?.format !== wanted)
    throw usage(`the profile ${profile.name} has no layout for archives of ${wanted}`)
  const chosen = named ?? (await foreign.usualLayout(placesOf(application), ctx.signal))
  const layout = Object.hasOwn(foreign.layouts, chosen) ? foreign.layouts[chosen] : undefined
  if (layout === undefined)
    throw usage(`there is no layout ${chosen}: it is ${Object.keys(foreign.layouts).join(' or ')}`)
  const missing = layout.needs.filter((name) => !sources.some((source) => source.name === name))
  if (missing.length > 0) throw usage(`the layout ${chosen} needs a source ${missing.join(' and ')}`)
  const passphrases = slots.flatMap((slot) => (slot.type === 'passphrase' ? [slot.passphrase] : []))
  const [passphrase] = passphrases
  if (passphrase === undefined)
    throw usage(`an archive of ${wanted} is sealed with a passphrase: a recipient cannot open one`)
  if (slots.length > 1) {
    const message = `only the first passphrase opens an archive of ${wanted}; ${slots.length - 1} more ways to open are left out`
    run.warn({ code: 'slots-left-out', message })
  }
  return { format, layout, passphrase }
}

/** What was written. `summary` and `manifest` are for the report: the archive itself holds neither. */
interface Written {
  readonly object: StoredObject & { readonly format: string }
  readonly summary: SealSummary
  readonly manifest: Manifest
  readonly header: { readonly id: string; readonly createdAt: string }
  readonly examined: Examined | undefined
}

/**
 * Writes an archive that another program reads: the same snapshots, examined the same way, each member where the layout
 * has it. What the profile rewrites is always rewritten. It appears under its name when it is complete and durable.
 */
export async function writeForeign(
  ctx: Context,
  run: Run,
  application: Application,
  { format, layout, passphrase }: ForeignPlan,
  { target, scratch }: { readonly target: Target; readonly scratch: string },
): Promise<Written> {
  const { app, sources, profile } = application
  const started = ctx.now()
  const claimed = new Set(sources.flatMap((source) => source.claims()))
  const expected = await estimate(ctx, sources, claimed)
  await using snapshots = await takeSnapshots(ctx, application, scratch, claimed)
  const examined = await examineSnapshots(ctx, run, application, snapshots.taken, true)
  const { writer, takenAt } = await createForeign(ctx, target, layout, expected)
  await using _writer = writer
  const meter = new Meter(ctx, 'seal', `encrypting ${app}`, expected)
  const entries = new Entries(ctx, run, application, layout, meter)
  const written = entries.of(snapshots.taken, {
    takenAt,
    host: ctx.host,
    places: placesOf(application),
    facts: examined?.facts ?? {},
  })
  const { prefix } = layout
  const { random, signal } = ctx
  const encrypted = format.write(written, passphrase, { prefix, random, mtime: takenAt, signal })
  await pipeline(encrypted, writer.stream, { end: false, signal })
  const object = await writer.commit()
  const id = foreignId(object.name)
  const recorded = await Promise.all(
    snapshots.taken.map(({ source, snapshot }) =>
      manifestSource(source, snapshot, snapshot.describe(), entries.countOf(source.name)),
    ),
  )
  return {
    object: { ...object, format: format.name },
    summary: { id, payloadSize: entries.bytes, members: entries.members, archiveSize: object.size },
    manifest: {
      manifest: 1,
      archive_id: id,
      kind: 'backup',
      app,
      profile: profile.name,
      host: ctx.host,
      started_at: rfc3339(started),
      finished_at: rfc3339(ctx.now()),
      tool: { name: 'sealift', version: ctx.version },
      sources: recorded,
      warnings: [],
    },
    header: { id, createdAt: rfc3339(takenAt) },
    examined,
  }
}

/** Another program's names have no room for a number: when a second is taken, the next one is waited for. */
async function createForeign(
  ctx: Context,
  target: Target,
  layout: ForeignLayout,
  expectedSize: number,
): Promise<{ writer: StoredWriter; takenAt: Date }> {
  for (let attempt = 1; ; attempt++) {
    const now = ctx.now()
    const takenAt = new Date(Math.floor(now.getTime() / 1000) * 1000)
    try {
      const options = { expectedSize, signal: ctx.signal }
      return { writer: await target.create(layout.fileName(takenAt), options), takenAt }
    } catch (error) {
      if (!isSealiftError(error, 'OBJECT_EXISTS') || attempt === 10) throw error
      await sleep(1000 - now.getMilliseconds(), undefined, { signal: ctx.signal })
    }
  }
}

/** The members on their way into a foreign archive, and what was seen of them. */
class Entries {
  members = 0
  bytes = 0
  readonly #ctx: Context
  readonly #run: Run
  readonly #application: Application
  readonly #layout: ForeignLayout
  readonly #meter: Meter
  readonly #files: { path: string; size: number; sha256: string }[] = []
  readonly #counts = new Map<string, { members: number; bytes: number }>()

  constructor(ctx: Context, run: Run, application: Application, layout: ForeignLayout, meter: Meter) {
    this.#ctx = ctx
    this.#run = run
    this.#application = application
    this.#layout = layout
    this.#meter = meter
  }

  countOf(source: string): { members: number; bytes: number } {
    return this.#counts.get(source) ?? { members: 0, bytes: 0 }
  }

  async *of(
    taken: readonly Taken[],
    about: Omit<Parameters<ForeignLayout['papers']>[0], 'files'>,
  ): AsyncGenerator<FormatEntry, void, undefined> {
    for (const { source, snapshot } of taken) {
      if (snapshot.root !== undefined) {
        const root = { ...snapshot.root, path: '', type: 'directory' as const }
        yield* this.#entry(source.name, root)
      }
      for await (const member of snapshot.members()) yield* this.#entry(source.name, member)
      for (const warning of snapshot.describe().warnings) this.#run.warn({ source: source.name, ...warning })
    }
    const owner = { mode: 0o600, mtimeMs: about.takenAt.getTime(), uid: 0, gid: 0 }
    for (const { path, content } of this.#layout.papers({ ...about, files: this.#files })) {
      const member = { path, type: 'file' as const, size: content.length, ...owner }
      this.#count('', content.length)
      yield { member, content: () => once(content) }
    }
  }

  async *#entry(source: string, member: SourceMember): AsyncGenerator<FormatEntry, void, undefined> {
    const { content, size = 0, link, path: own, ...rest } = member
    const path = this.#layout.pathOf(source, own)
    if (path === undefined) {
      if (rest.type === 'directory') return
      const message = `${own} of the source ${source} has no place in this layout and is left out; a sealed archive takes it along`
      this.#run.warn({ source, path: own, code: 'left-out', message })
      return
    }
    if (rest.type !== 'file') {
      this.#count(source, 0)
      yield { member: { ...rest, path, size, ...(link === undefined ? {} : { link }) } }
      return
    }
    if (member.size === undefined)
      throw new SealiftError('USAGE', {
        reason: `${source} gives streams of no known length: seal it instead`,
      })
    const change = this.#application.profile.rewrite?.(source, own)
    const body = this.#meter.count(content?.() ?? once())
    const changed = change === undefined ? undefined : change(await wholeFile(body, `${source}/${own}`))
    const length = changed?.length ?? size
    this.#count(source, length)
    const hashed = this.#hashed(path, length, changed === undefined ? body : once(changed))
    yield { member: { ...rest, path, size: length }, content: () => hashed }
  }

  async *#hashed(
    path: string,
    size: number,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash('sha256')
    for await (const piece of body) {
      this.#ctx.signal.throwIfAborted()
      hash.update(piece)
      yield piece
    }
    this.#files.push({ path, size, sha256: hash.digest('hex') })
  }

  #count(source: string, bytes: number): void {
    this.members++
    this.bytes += bytes
    const counted = this.countOf(source)
    this.#counts.set(source, { members: counted.members + 1, bytes: counted.bytes + bytes })
  }
}

async function* once(...pieces: Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces
}
