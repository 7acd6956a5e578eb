import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openFile, openStream } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { Context } from './context.ts'
import type { Converted } from './foreign-convert.ts'
import { convertFound, formatOf } from './foreign-open.ts'
import type { ArchiveInput, FoundArchive } from './found-archive.ts'
import { enterWorkplace } from './workplace.ts'

/**
 * The moment up to which an archive may hold something. Of Sealift's own its authenticated manifest says it. One of
 * another program has only a time that somebody wrote, so what the data itself tells of counts as well.
 */
export async function momentOf(ctx: Context, input: ArchiveInput, archive: FoundArchive): Promise<Date> {
  const { keys } = input
  if (keys === undefined)
    throw new SealiftError('BUG', { reason: '`before` needs keys: the manifest decides' })
  const { reader, name } = archive
  const format = await formatOf(ctx, reader, name)
  if (format === undefined) {
    const file = await openFile(reader, await keys(), { signal: ctx.signal, name })
    return latestMoment(await file.manifest())
  }
  await using converted = await convertFound(ctx, input, archive, format, await keys())
  return await foreignMoment(ctx, converted, name)
}

/**
 * A database is of the instant of its snapshot. Files are read while the archive is sealed, so theirs is the end of that:
 * a file that somebody changed in between would be in it. Manifests count whole seconds, so this is the end of the second.
 */
export function latestMoment({ sources, finished_at }: Manifest): Date {
  const moments = sources.map(({ kind, snapshot_at }) => (kind === 'files' ? finished_at : snapshot_at))
  return endOf(moments.length === 0 ? [finished_at] : moments)
}

function endOf(moments: readonly string[]): Date {
  return new Date(Math.max(...moments.map((text) => Date.parse(text))) + 999)
}

/** The stamp of a foreign archive, or the newest moment in its databases if that is later (mastio.md §10). */
async function foreignMoment(ctx: Context, converted: Converted, name: string): Promise<Date> {
  const { reader, key, takenAt } = converted
  const manifest = await (await openFile(reader, [key], { signal: ctx.signal, name })).manifest()
  const profile = ctx.profiles[manifest.profile]
  if (profile?.newestMoment === undefined) return latestMoment(manifest)
  await using workplace = await enterWorkplace(ctx, manifest.app, 'look')
  const places = await takeDatabases(ctx, converted, name, manifest, workplace.scratch)
  const newest = await profile.newestMoment(places, ctx.signal)
  return new Date(Math.max(takenAt.getTime(), newest?.getTime() ?? 0))
}

/** Copies of the databases alone, in a private folder that its owner removes: plaintext only for so long. */
async function takeDatabases(
  ctx: Context,
  { reader, key }: Converted,
  name: string,
  { sources }: Manifest,
  scratch: string,
): Promise<Map<string, string>> {
  const databases = new Set(sources.filter(({ kind }) => kind === 'sqlite').map((source) => source.name))
  const places = new Map<string, string>()
  await using stream = await openStream(reader.stream(ctx.signal), [key], { signal: ctx.signal, name })
  for await (const { member, content } of stream.members()) {
    const [source = ''] = member.path.split('/')
    if (member.type !== 'file' || !databases.has(source)) continue
    const file = path.join(scratch, `${source}.sqlite-copy`)
    await pipeline(content(), createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal: ctx.signal })
    places.set(source, file)
  }
  return places
}
