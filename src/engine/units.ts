import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { Manifest, ManifestSource } from '../manifest.ts'
import type { Source } from '../sources/source.ts'

/**
 * One thing that a restore puts in one place: the members at and under `prefix` go to `destination`, which is replaced
 * as a whole. `recorded` is set when the unit is all of a source, so that the source's checks apply to it.
 */
export interface Unit {
  readonly prefix: string
  readonly destination: string
  readonly recorded?: ManifestSource
}

export interface UnitPlan {
  readonly manifest: Manifest
  /** The configured sources; a source found here goes to its configured place, any other to where it came from. */
  readonly sources: readonly Source[]
  readonly to?: string
  readonly only?: readonly string[]
  /** The archive brings its own manifest and checksums, which go below `to` as well. */
  readonly papers?: boolean
}

/** Which members go where. DESTINATION_UNKNOWN, MEMBER_NOT_FOUND for an `only` that names no source. */
export function planUnits({ manifest, sources, to, only, papers: own = true }: UnitPlan): Unit[] {
  if (only !== undefined) {
    return withoutNested(only).map((wanted) => selectedUnit(wanted, manifest, sources, to))
  }
  const units = manifest.sources.map((recorded) => sourceUnit(recorded, sources, to))
  if (to === undefined || !own) return units
  const papers = ['MANIFEST.json', 'SHA256SUMS'].map((name) => ({
    prefix: name,
    destination: path.join(to, name),
  }))
  return [...units, ...papers]
}

function sourceUnit(recorded: ManifestSource, sources: readonly Source[], to: string | undefined): Unit {
  const { name } = recorded
  if (to !== undefined) return { prefix: name, destination: path.join(to, name), recorded }
  const place = placeOf(recorded, sources)
  const prefix = place.type === 'directory' ? name : memberOfFile(recorded)
  return { prefix, destination: place.path, recorded }
}

function selectedUnit(
  wanted: string,
  manifest: Manifest,
  sources: readonly Source[],
  to: string | undefined,
): Unit {
  const clean = wanted.replace(/\/+$/, '')
  const [name = '', ...rest] = clean.split('/')
  const recorded = manifest.sources.find((source) => source.name === name)
  if (recorded === undefined) throw new SealiftError('MEMBER_NOT_FOUND', { path: wanted })
  if (rest.length === 0) return sourceUnit(recorded, sources, to)
  if (to !== undefined) return { prefix: clean, destination: path.join(to, clean) }
  const place = placeOf(recorded, sources)
  if (place.type === 'file') return sourceUnit(recorded, sources, to)
  return { prefix: clean, destination: path.join(place.path, ...rest) }
}

function placeOf(
  recorded: ManifestSource,
  sources: readonly Source[],
): { path: string; type: 'file' | 'directory' } {
  const configured = sources.find((source) => source.name === recorded.name)?.place
  const place = configured ?? recorded.place
  if (place === undefined) throw new SealiftError('DESTINATION_UNKNOWN', { source: recorded.name })
  // What it was stands in the archive: a source may not be able to tell once its file is lost.
  return { path: place.path, type: recorded.place?.type ?? place.type }
}

/** A source that is one file has one member, named after the file it came from. */
function memberOfFile(recorded: ManifestSource): string {
  return recorded.place === undefined
    ? recorded.name
    : `${recorded.name}/${path.basename(recorded.place.path)}`
}

function withoutNested(only: readonly string[]): string[] {
  const clean = [...new Set(only.map((wanted) => wanted.replace(/\/+$/, '')))]
  return clean.filter((wanted) => !clean.some((other) => other !== wanted && wanted.startsWith(`${other}/`)))
}

/** The unit that a member belongs to: the longest prefix wins. */
export function unitOf<U extends Unit>(units: readonly U[], member: string): U | undefined {
  let best: U | undefined
  for (const unit of units) {
    const covers = member === unit.prefix || member.startsWith(`${unit.prefix}/`)
    if (covers && unit.prefix.length > (best?.prefix.length ?? -1)) best = unit
  }
  return best
}
