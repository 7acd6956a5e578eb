import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openFile, openStream } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import { isSealiftError, reasonOf, SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import type { Places } from '../profiles/examination.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Context } from './context.ts'
import { judged } from './examine.ts'
import type { Judged } from './examine.ts'

/**
 * The facts of a foreign archive, which brings none: its profile examines a copy of what is in it, in a private folder
 * below `scratch` that is removed again. `undefined` where the profile examines nothing; CHECK_FAILED where it cannot.
 */
export async function foreignFacts(
  ctx: Context,
  converted: { readonly reader: StoredReader; readonly key: OpenKey; readonly name: string },
  scratch: string,
): Promise<Judged | undefined> {
  const { reader, key, name } = converted
  const manifest = await (await openFile(reader, [key], { signal: ctx.signal, name })).manifest()
  const profile = ctx.profiles[manifest.profile]
  if (profile?.examine === undefined) return undefined
  const folder = path.join(scratch, `facts-${ctx.random(8).toString('hex')}`)
  await mkdir(folder, { mode: 0o700 })
  try {
    const places = await unpack(ctx, converted, manifest, folder)
    await checkDatabases(ctx, manifest, places)
    const takenAt = new Date(manifest.started_at)
    const examined = { places, stage: 'restore', redacted: true, takenAt, manifest } as const
    const { facts, findings } = await profile.examine(examined, ctx.signal)
    return judged(facts, findings)
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (isSealiftError(error)) throw error
    const reason = `what is in ${name} could not be examined: ${reasonOf(error)}`
    throw new SealiftError('CHECK_FAILED', { failed: [reason] }, error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The profile takes it for granted that a database is sound in itself. */
async function checkDatabases(ctx: Context, { sources }: Manifest, places: Places): Promise<void> {
  for (const source of sources) {
    const at = places.get(source.name)
    if (source.kind !== 'sqlite' || at === undefined) continue
    const findings = (await ctx.sourceDrivers['sqlite']?.checkRestored(at, source, ctx.signal)) ?? []
    const failed = findings.filter(({ verdict }) => verdict === 'fail').map(({ detail }) => detail)
    if (failed.length > 0) throw new SealiftError('CHECK_FAILED', { failed })
  }
}

async function unpack(
  ctx: Context,
  { reader, key, name }: { readonly reader: StoredReader; readonly key: OpenKey; readonly name: string },
  { sources }: Manifest,
  folder: string,
): Promise<Places> {
  const places = new Map<string, string>()
  const names = new Set(sources.map((source) => source.name))
  await using stream = await openStream(reader.stream(ctx.signal), [key], { signal: ctx.signal, name })
  for await (const { member, content } of stream.members()) {
    const [source = '', ...rest] = member.path.split('/')
    if (!names.has(source)) continue
    const at = path.join(folder, member.path)
    await mkdir(member.type === 'directory' ? at : path.dirname(at), { recursive: true, mode: 0o700 })
    if (member.type === 'directory') places.set(source, path.join(folder, source))
    if (member.type !== 'file') continue
    // A source that has no folder of its own is one file.
    if (!places.has(source)) places.set(source, rest.length === 1 ? at : path.join(folder, source))
    await pipeline(content(), createWriteStream(at, { flags: 'wx', mode: 0o600 }), { signal: ctx.signal })
  }
  return places
}
