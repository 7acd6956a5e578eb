import { openFile } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import type { Manifest } from '../manifest.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Context } from './context.ts'

/**
 * The moment up to which an archive may hold something, by its own authenticated manifest. A database is of the instant
 * of its snapshot. Files are read while the archive is sealed, so theirs is the end of that: a file that somebody
 * changed in between would be in it. Manifests count whole seconds, so this is the end of the second.
 */
export async function momentInside(
  ctx: Context,
  reader: StoredReader,
  name: string,
  keys: readonly OpenKey[],
): Promise<Date> {
  const file = await openFile(reader, keys, { signal: ctx.signal, name })
  return latestMoment(await file.manifest())
}

/** What `momentInside` reads from a manifest. */
export function latestMoment({ sources, finished_at }: Manifest): Date {
  const moments = sources.map(({ kind, snapshot_at }) => (kind === 'files' ? finished_at : snapshot_at))
  const latest = Math.max(...(moments.length === 0 ? [finished_at] : moments).map((text) => Date.parse(text)))
  return new Date(latest + 999)
}
