import path from 'node:path'
import { CHECKSUMS_PATH, MANIFEST_PATH, openStream } from '../archive/index.ts'
import type { ArchiveFile } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Member } from '../member.ts'
import type { FoundArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { putOriginal } from './extract.ts'
import { Meter } from './meter.ts'
import { checkSymlink, StagedTree } from './staged-tree.ts'
import { unitOf } from './units.ts'

/** An open archive, and the places that its members are staged for. */
export interface Staging {
  readonly ctx: Context
  readonly archive: FoundArchive
  readonly file: ArchiveFile
  readonly destinations: readonly Destination[]
  readonly allowOutsideLinks: boolean
}

/** What was written for one destination. */
export interface Written {
  readonly members: number
  readonly bytes: number
  /** The folder itself, where the destination is one. */
  readonly folder?: Member
}

/**
 * Writes and verifies everything that the destinations are to get, durable when it returns. Gives what was written by
 * the destination's prefix. MEMBER_NOT_FOUND for a destination that nothing of the archive belongs to.
 */
export async function stageMembers(staging: Staging): Promise<Map<string, Written>> {
  const { ctx, archive, file, destinations, allowOutsideLinks } = staging
  const written = new Map<string, Written>()
  const meter = new Meter(ctx, 'restore', `restoring ${archive.name}`, archive.reader.size)
  const tree = new StagedTree()
  const stagedAt = new Map<string, string>()
  const sources = new Set((await file.manifest()).sources.map(({ name }) => name))
  try {
    await using stream = await openStream(archive.reader.stream(ctx.signal), [file.key], {
      signal: ctx.signal,
      name: archive.name,
    })
    for await (const streamed of stream.members()) {
      const { member } = streamed
      meter.at(stream.bytesIn)
      const destination = unitOf(destinations, member.path)
      if (destination === undefined) {
        refuseForeign(member.path, sources)
        continue
      }
      const { prefix, staged } = destination
      const at = path.join(staged, member.path.slice(prefix.length))
      if (member.type === 'symlink' && !allowOutsideLinks) checkSymlink(member.path, member.link ?? '')
      const owner = ctx.privileged ? { owner: { uid: member.uid, gid: member.gid } } : {}
      const original = member.type === 'hardlink' ? stagedAt.get(member.link ?? '') : undefined
      if (original !== undefined) await tree.putLink(at, original)
      else if (member.type === 'hardlink') await putOriginal(tree, at, { ...member, ...owner }, file)
      else
        await tree.put(at, { ...member, ...owner }, member.type === 'file' ? streamed.content() : undefined)
      if (member.type === 'file' || member.type === 'hardlink') stagedAt.set(member.path, at)
      const before = written.get(prefix) ?? { members: 0, bytes: 0 }
      const folder = member.path === prefix && member.type === 'directory' ? { folder: member } : {}
      const counted = { members: before.members + 1, bytes: before.bytes + member.size }
      written.set(prefix, { ...before, ...folder, ...counted })
    }
    for (const { prefix } of destinations.filter((d) => !written.has(d.prefix))) {
      throw new SealiftError('MEMBER_NOT_FOUND', { path: prefix })
    }
    await tree.finish()
    return written
  } finally {
    await tree.abandon()
  }
}

/** A member of no source that the manifest names: nobody may smuggle one in who can seal. */
function refuseForeign(member: string, sources: ReadonlySet<string>): void {
  const [source = ''] = member.split('/')
  if (sources.has(source) || member === MANIFEST_PATH || member === CHECKSUMS_PATH) return
  throw new SealiftError('MEMBER_REFUSED', { member, reason: 'it belongs to no source of the manifest' })
}
