import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { Sealer } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Format, FormatMember } from '../formats/format.ts'
import type { Manifest, ManifestSource } from '../manifest.ts'
import type { Member } from '../member.ts'
import type { ForeignContents, ForeignPlacement, ForeignReading, ForeignSource } from '../profiles/foreign.ts'
import type { Places } from '../profiles/examination.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Secret } from '../secret.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Context } from './context.ts'
import { foreignId } from './foreign-name.ts'
import { Meter } from './meter.ts'
import { sealPrivately } from './private-seal.ts'
import type { PrivateArchive } from './private-seal.ts'
import { rfc3339 } from './time.ts'

/** A foreign archive that is to become an ordinary one. */
export interface Conversion {
  readonly reader: StoredReader
  readonly name: string
  readonly format: Format
  readonly profile: Profile
  readonly reading: ForeignReading
  readonly app: string
  /** When it was taken, as its name says. */
  readonly takenAt?: Date
  /** Where the sources of a configured application lie; none without one. */
  readonly configured: Places
  /** The application's own folder, where it is known otherwise. */
  readonly folder?: string
}

/** What became of it: a sealed archive that only this process can open, gone when it is disposed of. */
export interface Converted extends PrivateArchive {
  readonly takenAt: Date
}

const memberLimit = 100_000
const textLimit = 1 << 20

/**
 * Seals what a foreign archive holds again, for a key that lives in memory alone, into a file without a name. So no
 * plaintext lies on a disk, memory is bounded, and every rule of a restore holds for foreign archives too. The result
 * counts only once the whole message was authentic and the profile found it complete; before that nothing is left.
 * Throws what the format and the reading throw.
 */
export async function convert(ctx: Context, conversion: Conversion, passphrase: Secret): Promise<Converted> {
  const { reader, name, format, reading } = conversion
  const createdAt = conversion.takenAt ?? ctx.now()
  const meter = new Meter(ctx, 'fetch', `reading ${name}`, reader.size)
  let takenAt = createdAt
  const made = await sealPrivately(ctx, { name, createdAt, id: foreignId(name) }, async (sealer) => {
    const input = meter.count(reader.stream(ctx.signal) as AsyncIterable<Uint8Array>)
    const options = { name, signal: ctx.signal, limit: memberLimit }
    const seen = await sealMembers(sealer, format.read(input, passphrase, options), reading)
    const contents = reading.finish(seen)
    takenAt = conversion.takenAt ?? contents.takenAt ?? new Date(seen.newest)
    for (const source of contents.sources) await addFolder(sealer, source, seen, takenAt)
    const manifest = manifestOf(sealer.id, conversion, contents, seen, takenAt)
    return placed(manifest, conversion, contents)
  })
  return { ...made, takenAt }
}

interface Seen {
  readonly sums: Map<string, string>
  readonly texts: Map<string, Buffer>
  readonly counts: Map<string, { members: number; bytes: number }>
  /** Paths in the sealed archive of the folders that it has. */
  readonly folders: Set<string>
  /** The newest time of a member. */
  newest: number
}

/**
 * A member that is refused is told only once all was read: a change of the file can make any name look wrong, and then
 * that is what must be said.
 */
async function sealMembers(
  sealer: Sealer,
  members: AsyncIterable<FormatMember>,
  reading: ForeignReading,
): Promise<Seen> {
  const seen: Seen = { sums: new Map(), texts: new Map(), counts: new Map(), folders: new Set(), newest: 0 }
  let refusal: unknown
  for await (const one of members) {
    if (refusal !== undefined) continue
    let placement: ForeignPlacement | undefined
    try {
      placement = placementOf(reading, one.member)
    } catch (error) {
      refusal = error
    }
    if (placement !== undefined) await sealMember(sealer, one, placement, seen)
  }
  if (refusal !== undefined) throw refusal
  return seen
}

function placementOf(reading: ForeignReading, member: Member): ForeignPlacement | undefined {
  const placement = reading.place(member)
  if (placement?.whole !== true || member.size <= textLimit) return placement
  const reason = `it has ${member.size} bytes, more than the ${textLimit} of a small text`
  throw new SealiftError('MEMBER_REFUSED', { member: member.path, reason })
}

async function sealMember(
  sealer: Sealer,
  { member, content }: FormatMember,
  { path, whole, ...owner }: ForeignPlacement,
  seen: Seen,
): Promise<void> {
  const pieces = whole === true ? await Array.fromAsync(content()) : undefined
  if (pieces !== undefined) seen.texts.set(member.path, Buffer.concat(pieces))
  seen.newest = Math.max(seen.newest, member.mtimeMs)
  if (path === undefined) {
    const text = seen.texts.get(member.path) ?? ''
    if (member.type === 'file') seen.sums.set(member.path, createHash('sha256').update(text).digest('hex'))
    return
  }
  const { type, size, mtimeMs } = member
  const entry = await sealer.add({ path, type, size, mtimeMs, ...owner }, pieces ?? content())
  if (entry.sha256 !== undefined) seen.sums.set(member.path, entry.sha256)
  else seen.folders.add(path)
  const [source = ''] = path.split('/')
  const counted = seen.counts.get(source) ?? { members: 0, bytes: 0 }
  seen.counts.set(source, { members: counted.members + 1, bytes: counted.bytes + size })
}

/** A source that is a folder always has a member of its own, so that a restore knows the folder's mode and owner. */
async function addFolder(sealer: Sealer, source: ForeignSource, seen: Seen, takenAt: Date): Promise<void> {
  const { name: path, type, folder } = source
  if (type !== 'directory' || folder === undefined || seen.folders.has(path)) return
  await sealer.add({ path, type, size: 0, mtimeMs: takenAt.getTime(), ...folder })
  const counted = seen.counts.get(path) ?? { members: 0, bytes: 0 }
  seen.counts.set(path, { ...counted, members: counted.members + 1 })
}

/** What there is to say of an archive that brings no manifest: no facts and no rows. A restore computes them. */
function manifestOf(
  archive_id: string,
  { app, profile, format }: Conversion,
  contents: ForeignContents,
  seen: Seen,
  takenAt: Date,
): Manifest {
  const at = rfc3339(takenAt)
  const sources = contents.sources.map((source): ManifestSource => {
    const { name, kind } = source
    const counted = seen.counts.get(name) ?? { members: 0, bytes: 0 }
    return { name, kind, snapshot_at: at, versions: {}, facts: {}, ...counted }
  })
  return {
    manifest: 1,
    archive_id,
    kind: 'backup',
    app,
    profile: profile.name,
    host: contents.host ?? 'unknown',
    started_at: at,
    finished_at: at,
    tool: { name: format.name, version: `(${contents.layout} layout)` },
    sources,
    warnings: [],
  }
}

/**
 * The manifest with a place for each source, as far as one is known: the configured one, else where it lies in the
 * application's own folder. A single file keeps the name that it has in the archive.
 */
function placed(manifest: Manifest, conversion: Conversion, contents: ForeignContents): Manifest {
  const { profile, configured, folder } = conversion
  const names = contents.places('/')
  const inPlaces = (places: Places): Manifest => {
    const sources = manifest.sources.map((source, at) => {
      const [path, declared] = [places.get(source.name), contents.sources[at]]
      if (path === undefined || declared === undefined) return source
      const file = basename(names.get(source.name) ?? path)
      return {
        ...source,
        place: placeOf(declared, declared.type === 'file' ? join(dirname(path), file) : path),
      }
    })
    return { ...manifest, sources }
  }
  const base = folder ?? profile.folder?.(inPlaces(configured))
  return inPlaces(base === undefined ? configured : new Map([...contents.places(base), ...configured]))
}

function placeOf({ type, folder }: ForeignSource, path: string): NonNullable<ManifestSource['place']> {
  if (type === 'directory' || folder === undefined) return { path, type }
  return { path, type, folder: { ...folder, mode: folder.mode.toString(8).padStart(4, '0') } }
}
