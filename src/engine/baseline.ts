import { openFile } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Facts, Manifest } from '../manifest.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Application, Context, OpenKey } from './context.ts'
import { foreignFacts } from './foreign-facts.ts'
import type { Looked } from './live-copy.ts'
import { openArchive, summaryOfFound } from './open-archive.ts'
import type { OpenArchive } from './open-archive.ts'
import { enterWorkplace } from './workplace.ts'

/** The backup that a running application must be the continuation of. */
export interface Baseline {
  readonly app: string
  readonly profile: Profile
  readonly facts: Facts
  /** Where the application's data lies on this machine. */
  readonly looked: readonly Looked[]
  readonly archive: { readonly id: string; readonly name: string; readonly created_at: string }
  /** `archive`: opened and authenticated; `catalogue`: what this installation recorded of it. */
  readonly from: 'archive' | 'catalogue'
}

export interface BaselineInput {
  readonly archive?: string
  readonly application?: Application
  readonly keys: () => Promise<readonly OpenKey[]>
}

/**
 * The facts to compare with: of the archive that is named, or else of the one that was restored last, or else of the
 * newest good one. What the catalogue has of it is enough; only a named archive is always opened. ARCHIVE_NOT_FOUND.
 */
export async function findBaseline(ctx: Context, input: BaselineInput): Promise<Baseline> {
  const { application } = input
  const known = input.archive === undefined ? knownBaseline(ctx, application) : undefined
  if (known !== undefined) return known
  await using found = await openArchive(ctx, {
    archive: input.archive ?? 'latest',
    keys: input.keys,
    ...(application === undefined ? {} : { application }),
  })
  const file = await openFile(found.reader, found.keys, { signal: ctx.signal, name: found.name })
  const manifest = await file.manifest()
  const profile = ctx.profiles[manifest.profile]
  if (profile === undefined)
    throw new SealiftError('USAGE', { reason: `this Sealift knows no profile ${manifest.profile}` })
  const { id, created_at } = summaryOfFound(ctx, found, file.header)
  return {
    app: manifest.app,
    profile,
    facts: found.foreign === undefined ? factsOf(manifest) : await computed(ctx, found, manifest),
    looked: application === undefined ? recordedPlaces(manifest) : configuredPlaces(application),
    archive: { id, name: found.name, created_at },
    from: 'archive',
  }
}

/** The facts of an archive that brings none. */
async function computed(
  ctx: Context,
  { reader, keys, name }: OpenArchive,
  { app }: Manifest,
): Promise<Facts> {
  await using workplace = await enterWorkplace(ctx, app, 'check')
  const [key] = keys
  if (key === undefined) throw new SealiftError('BUG', { reason: 'an opened archive has its key' })
  return (await foreignFacts(ctx, { reader, key, name }, workplace.scratch))?.facts ?? {}
}

function knownBaseline(ctx: Context, application: Application | undefined): Baseline | undefined {
  if (application === undefined) return undefined
  const { app, profile } = application
  const newest = ctx.catalog.predecessor(app)
  const since = newest === undefined || ctx.catalog.restoredSince(app, newest.created_at)
  const restored = since ? lastRestored(ctx, app) : undefined
  const record = restored === undefined ? newest : ctx.catalog.archive(restored)
  if (record?.facts === undefined) return undefined
  const { archive_id: id, name, created_at, facts } = record
  return {
    app,
    profile,
    facts,
    looked: configuredPlaces(application),
    archive: { id, name, created_at },
    from: 'catalogue',
  }
}

/** The archive that was brought back last, to the application's own places. */
function lastRestored(ctx: Context, app: string): string | undefined {
  const inPlace = (report: unknown): boolean =>
    typeof report === 'object' && report !== null && 'in_place' in report && report.in_place === true
  return ctx.catalog
    .recentRuns(1000)
    .find((run) => run.app === app && run.verb === 'restore' && inPlace(run.report))?.archive_id
}

/** The facts of all sources together: a profile's are told apart from the others by their names. */
export function factsOf(manifest: Manifest): Facts {
  return Object.fromEntries(manifest.sources.flatMap(({ facts }) => Object.entries(facts)))
}

export function configuredPlaces({ sources }: Application): Looked[] {
  return sources.map(({ name, kind, place }) => ({ name, kind, path: place.path }))
}

function recordedPlaces(manifest: Manifest): Looked[] {
  return manifest.sources.flatMap(({ name, kind, place }) =>
    place === undefined ? [] : [{ name, kind, path: place.path }],
  )
}
