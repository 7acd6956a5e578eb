import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Sealer } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { ManifestSource } from '../manifest.ts'
import type { Place, Snapshot, SnapshotDescription, Source } from '../sources/source.ts'
import type { Meter } from './meter.ts'
import { rfc3339 } from './time.ts'

/** How a file is changed on its way in, `undefined` for one that stays as it is. */
export type Rewrite = (source: string, path: string) => ((content: Buffer) => Buffer) | undefined

/** Seals all members of a snapshot. GUARD_REFUSED where a file that is to be rewritten does not fit in memory. */
export async function sealSource(
  sealer: Sealer,
  source: Source,
  snapshot: Snapshot,
  meter: Meter,
  rewrite?: Rewrite,
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
    const change = rewrite?.(source.name, relative)
    if (change !== undefined) {
      const changed = change(await wholeFile(body, inArchive))
      await sealer.add({ ...rest, path: inArchive, size: changed.length }, [changed])
      bytes += changed.length
      continue
    }
    if (size === undefined) await sealer.addParts({ ...rest, path: inArchive }, body)
    else await sealer.add({ ...rest, path: inArchive, size }, body)
    bytes += size ?? sealer.bytesIn - before
  }
  return { members, bytes }
}

/** A profile rewrites small files only; what has grown beyond this is none. */
const rewritable = 4 * 1024 * 1024

/** The content of a file that is to be rewritten. GUARD_REFUSED where it does not fit in memory. */
export async function wholeFile(body: AsyncIterable<Uint8Array>, path: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > rewritable) {
      const reason = `${path} has more than ${rewritable} bytes, and is to be rewritten in memory`
      throw new SealiftError('GUARD_REFUSED', { guard: 'rewrite', reason })
    }
    // A source's buffer holds only until the next one is asked for.
    pieces.push(Buffer.from(piece))
  }
  return Buffer.concat(pieces)
}

async function* empty(): AsyncIterable<Uint8Array> {
  // a file without content
}

/** What the manifest says of a source, once its members are sealed. */
export async function manifestSource(
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
    // Of what the archive holds: a file may have been rewritten on its way in.
    facts: 'bytes' in facts ? { ...facts, bytes: counted.bytes } : facts,
    ...counted,
  }
}

async function folderAround(place: Place): Promise<Pick<NonNullable<ManifestSource['place']>, 'folder'>> {
  if (place.type === 'directory') return {}
  const { mode, uid, gid } = await stat(path.dirname(place.path))
  return { folder: { mode: (mode & 0o7777).toString(8).padStart(4, '0'), uid, gid } }
}
