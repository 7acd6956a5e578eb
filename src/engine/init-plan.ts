import path from 'node:path'
import { isInside } from './destinations.ts'
import type { ComposeData } from './discover-compose.ts'
import type { LeftOut } from './discover-file.ts'
import type { Sighting, Surroundings } from './discover.ts'
import { uniqueNames, wordOf } from './init-names.ts'

/** A source as a new configuration proposes it; `path` is absolute. */
export interface PlannedSource {
  readonly name: string
  readonly kind: 'sqlite' | 'files'
  readonly path: string
  readonly exclude: readonly string[]
  readonly why: string
}

/** Something found, and the source that takes it in; without one it is among `leftOut`. */
export interface Found {
  readonly kind: 'sqlite' | 'env' | 'certificates' | 'data' | 'compose'
  readonly path: string
  readonly source: string
}

export interface InitPlan {
  readonly app: string
  /** The profile that knows the application; absent: `generic`. */
  readonly profile?: string
  /** What that profile recognised, a sentence each. */
  readonly about?: readonly string[]
  /** As `retention` of the configuration has it; absent: the usual. */
  readonly retention?: Readonly<Record<string, number | string | boolean>>
  readonly sources: readonly PlannedSource[]
  readonly found: readonly Found[]
  readonly leftOut: readonly LeftOut[]
  /** Nothing was recognised: the sources are examples. */
  readonly template: boolean
  readonly target: string
  readonly passphraseFile: string
}

export interface InitPlanInput {
  readonly folder: string
  readonly output: string
  readonly app: string | undefined
  readonly privileged: boolean
  readonly stateDir: string
  readonly surroundings: Surroundings
  /** What each compose file says, by its path. */
  readonly compose: ReadonlyMap<string, ComposeData>
}

interface Candidate {
  readonly kind: Found['kind']
  readonly path: string
  readonly why: string
}

/** Decides from what was seen what is backed up, under which names, and where archives and the passphrase go. */
export function planInit(input: InitPlanInput): InitPlan {
  const { folder, output, surroundings, stateDir, privileged } = input
  const candidates = candidatesOf(surroundings.sightings, folder)
  const kept = candidates.filter(
    ({ kind, path: at }) =>
      kind === 'sqlite' || !candidates.some((other) => isTree(other) && isInside(at, other.path)),
  )
  const names = uniqueNames(kept.map((candidate) => nameWords(candidate, folder)))
  const closed = [stateDir, ...surroundings.sightings.filter(isServerData).map((sighting) => sighting.path)]
  const chosen = kept.map((candidate, index): PlannedSource => ({
    name: names[index] ?? '',
    kind: candidate.kind === 'sqlite' ? 'sqlite' : 'files',
    path: candidate.path,
    exclude: closed
      .filter((place) => candidate.kind !== 'sqlite' && isInside(place, candidate.path))
      .map((place) => `/${globText(path.relative(candidate.path, place))}`),
    why: candidate.why,
  }))
  const template = chosen.length === 0
  const sources = template ? examples(folder) : chosen
  const app = input.app ?? (wordOf(path.basename(folder)).replaceAll(/[._]/g, '-') || 'app')
  const beside = [path.dirname(output), folder]
  const places = (name: string): string[] => beside.map((at) => path.join(at, name))
  return {
    app,
    sources,
    template,
    found: candidates.map(({ kind, path: at }) => ({ kind, path: at, source: sourceFor(kind, at, chosen) })),
    leftOut: [
      ...surroundings.leftOut,
      ...elsewhere(input),
      ...unrecognised(surroundings.sightings, chosen, folder),
    ]
      .filter((left) => left.loud || !chosen.some((source) => isInside(left.path, source.path)))
      .toSorted((a, b) => Number(b.loud) - Number(a.loud)),
    target: outside([...(privileged ? [`/var/backups/${app}`] : []), ...places('sealift-archives')], sources),
    passphraseFile: outside(
      [...(privileged ? [`/etc/sealift/${app}.passphrase`] : []), ...places('sealift-passphrase')],
      sources,
    ),
  }
}

function candidatesOf(sightings: readonly Sighting[], folder: string): Candidate[] {
  const candidates = new Map<string, Candidate>()
  for (const { kind, path: at } of sightings) {
    const parent = path.dirname(at)
    if (kind === 'sqlite') candidates.set(at, { kind, path: at, why: 'a SQLite database' })
    else if (kind === 'env')
      candidates.set(at, { kind, path: at, why: 'settings of the application, often with secrets' })
    else if (kind === 'compose') candidates.set(at, { kind, path: at, why: 'how the application is started' })
    else if (kind === 'certificate' && parent === folder)
      candidates.set(at, { kind: 'certificates', path: at, why: 'a certificate or key' })
    else if (kind === 'certificate')
      candidates.set(parent, { kind: 'certificates', path: parent, why: 'certificates and keys' })
    else if (kind === 'data' && !candidates.has(at))
      candidates.set(at, {
        kind,
        path: at,
        why: 'data, by its name; databases in it are left to their own sources',
      })
  }
  // The data folder of a database server is refused even where its name is a promising one.
  for (const { path: at } of sightings.filter(isServerData)) candidates.delete(at)
  const rank = ({ kind }: Candidate): number => (kind === 'sqlite' ? 0 : 1)
  return [...candidates.values()].toSorted((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1))
}

function isServerData(sighting: Sighting): boolean {
  return sighting.kind === 'server-data'
}

function isTree(candidate: Candidate): boolean {
  return candidate.kind === 'data' || candidate.kind === 'certificates'
}

/** The words that a name is made from, the most telling first; more are added when two names are the same. */
function nameWords({ kind, path: at }: Candidate, folder: string): string[] {
  const parts = path.relative(folder, at).split(path.sep).toReversed()
  const [last = '', ...folders] = parts
  if (kind === 'sqlite') return [`${last.replace(/\.(db3?|sqlite3?)$/i, '')}-db`, ...folders]
  if (kind === 'env') return [last === '.env' ? 'env' : last, ...folders]
  return kind === 'compose' ? ['compose', ...folders] : [last, ...folders]
}

function sourceFor(kind: Found['kind'], at: string, sources: readonly PlannedSource[]): string {
  const own = sources.find((source) => source.path === at)
  const around = sources.find((source) => kind !== 'sqlite' && isInside(at, source.path))
  return (own ?? around)?.name ?? ''
}

/** Data that compose files keep elsewhere. */
function elsewhere({ compose, folder }: InitPlanInput): LeftOut[] {
  return [...compose].flatMap(([file, { databases, volumes, mounts }]) => [
    ...databases.map((image) => ({
      path: file,
      reason: `it runs the database server ${image}, whose data this configuration does NOT back up`,
      loud: true,
    })),
    ...volumes.map((volume) => ({
      path: file,
      reason: `the Docker volume ${volume} is kept by Docker, and this configuration does NOT back it up`,
      loud: true,
    })),
    ...mounts
      .filter((mount) => mount !== folder && !isInside(mount, folder))
      .map((mount) => ({
        path: file,
        reason: `${mount} is mounted from elsewhere, and this configuration does NOT back it up`,
        loud: true,
      })),
  ])
}

/** Folders next to the chosen ones in which nothing was recognised. */
function unrecognised(
  sightings: readonly Sighting[],
  sources: readonly PlannedSource[],
  folder: string,
): LeftOut[] {
  return sightings
    .filter(({ kind, path: at }) => kind === 'folder' && path.dirname(at) === folder)
    .filter(({ path: at }) => !sources.some((source) => source.path === at || isInside(source.path, at)))
    .map(({ path: at }) => ({ path: at, reason: 'nothing in it was recognised as data', loud: false }))
}

/** The first place that no source takes in. The folder that was looked at is never a source itself. */
function outside(places: readonly string[], sources: readonly PlannedSource[]): string {
  const free = places.find((at) => !sources.some((source) => source.path === at || isInside(at, source.path)))
  return free ?? places.at(-1) ?? ''
}

/** A path as a pattern that names exactly this path. */
function globText(relative: string): string {
  return relative.replaceAll(/[\\*?[\](){}!+@|]/g, String.raw`\$&`)
}

function examples(folder: string): PlannedSource[] {
  const why = 'an example: put the real path here, or remove it'
  return [
    { name: 'app-db', kind: 'sqlite', path: path.join(folder, 'data/app.db'), exclude: [], why },
    { name: 'data', kind: 'files', path: path.join(folder, 'data'), exclude: [], why },
  ]
}
