import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { Profile } from '../profiles/profile.ts'
import { isInside } from './destinations.ts'

/**
 * A manifest whose places lie in another folder of the application: what lay in the old folder lies at the same place in
 * `into`; what lay outside of it stays where it was. DESTINATION_UNKNOWN for a source without a place.
 */
export function movedInto(manifest: Manifest, profile: Profile, into: string): Manifest {
  const folder = profile.folder?.(manifest) ?? commonFolder(manifest)
  const moved = (at: string): string =>
    at === folder || isInside(at, folder) ? path.join(into, path.relative(folder, at)) : at
  return {
    ...manifest,
    sources: manifest.sources.map((source) => {
      if (source.place === undefined) throw new SealiftError('DESTINATION_UNKNOWN', { source: source.name })
      return { ...source, place: { ...source.place, path: moved(source.place.path) } }
    }),
  }
}

/** The innermost folder that every source is, or lies in. */
function commonFolder({ sources }: Manifest): string {
  const places = sources.flatMap(({ place }) => place ?? [])
  const [first] = places
  let common = first === undefined ? '/' : first.type === 'directory' ? first.path : path.dirname(first.path)
  while (!places.every(({ path: at }) => at === common || isInside(at, common))) common = path.dirname(common)
  return common
}
