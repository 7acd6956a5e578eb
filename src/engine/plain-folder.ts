import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { PlainFolder } from '../profiles/live.ts'
import type { Application, Context, OpenKey } from './context.ts'
import { syncFolder } from './journal.ts'
import type { ArchiveSummary } from './report.ts'
import { restore } from './restore.ts'
import { rfc3339 } from './time.ts'
import { exists } from './swap.ts'

/** What says that a folder is Sealift's own, and what is in it. */
const manifestName = 'MANIFEST.json'

export interface PlainFolderInput {
  readonly application: Application
  /** A verified archive: the folder holds what is in it. */
  readonly archive: ArchiveSummary
  readonly keys: readonly OpenKey[]
  readonly folder: PlainFolder
  /** How many of Sealift's own folders stay, this one among them. */
  readonly keep: number
}

/**
 * Leaves a verified archive as a plain folder on the same disk, for a quick way back: folders 0700, files 0600, with a
 * manifest of their checksums. It appears under its name when it is whole. Gives its path. Older folders of Sealift's own
 * beyond `keep` are removed afterwards; those of others never are.
 */
export async function leavePlainFolder(ctx: Context, input: PlainFolderInput): Promise<string> {
  const { folder, archive } = input
  await mkdir(folder.parent, { recursive: true, mode: 0o700 })
  await sweepParts(folder)
  const final = path.join(folder.parent, folder.name)
  if (await exists(final)) throw new SealiftError('USAGE', { reason: `${final} exists already` })
  const part = path.join(folder.parent, `.${folder.name}.part`)
  try {
    await mkdir(part, { mode: 0o700 })
    await fill(ctx, input, part)
    const files = await seal(part)
    const manifest = {
      tool: { name: 'sealift', version: ctx.version },
      made_at: rfc3339(ctx.now()),
      archive: { id: archive.id, name: archive.name, created_at: archive.created_at },
      ...folder.about,
      files,
    }
    await writeSynced(path.join(part, manifestName), `${JSON.stringify(manifest, undefined, 1)}\n`)
    await syncFolder(part)
    await rename(part, final)
    await syncFolder(folder.parent)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
  await prune(input)
  return final
}

/** The archive's data by way of a restore, which verifies it, and what the archive does not have. */
async function fill(
  ctx: Context,
  { application, archive, keys, folder }: PlainFolderInput,
  part: string,
): Promise<void> {
  const to = path.join(part, '.restored')
  const report = await restore(ctx, {
    archive: archive.id,
    application,
    keys: () => Promise.resolve(keys),
    to,
    allowOutsideLinks: true,
  })
  if (report.result === undefined || report.error !== undefined) {
    throw new SealiftError('CHANGE_REFUSED', { reason: report.error?.message ?? 'nothing was restored' })
  }
  for (const { name, place } of application.sources) {
    const goes = folder.layout.get(name)
    if (goes === undefined) continue
    const at = path.join(part, goes)
    await mkdir(path.dirname(at), { recursive: true, mode: 0o700 })
    const restored = path.join(to, name, ...(place.type === 'file' ? [path.basename(place.path)] : []))
    if (folder.fromLive.includes(name)) await copyFile(place.path, at)
    else if (await exists(restored)) await rename(restored, at)
  }
  await rm(to, { recursive: true })
  for (const [goes, from] of folder.also) await copyFile(from, path.join(part, goes))
}

/** Makes everything private and durable, and gives the SHA-256 of each file. */
async function seal(part: string): Promise<Record<string, string>> {
  const sums: Record<string, string> = {}
  const entries = await readdir(part, { recursive: true, withFileTypes: true })
  for (const entry of entries.toSorted((a, b) =>
    path.join(a.parentPath, a.name) < path.join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const at = path.join(entry.parentPath, entry.name)
    if (entry.isDirectory()) await chmod(at, 0o700)
    if (!entry.isFile()) continue
    await chmod(at, 0o600)
    const hash = createHash('sha256')
    for await (const piece of createReadStream(at)) hash.update(piece as Buffer)
    sums[path.relative(part, at)] = hash.digest('hex')
    await using handle = await open(at, 'r')
    await handle.sync()
  }
  for (const entry of entries)
    if (entry.isDirectory()) await syncFolder(path.join(entry.parentPath, entry.name))
  return sums
}

async function writeSynced(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}

/** What a killed run left is plaintext under a name of its own. */
async function sweepParts({ parent, own }: PlainFolder): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith('.') && name.endsWith('.part') && own.test(name.slice(1, -'.part'.length)))
      await rm(path.join(parent, name), { recursive: true, force: true })
  }
}

async function prune({ folder: { parent, own }, keep }: PlainFolderInput): Promise<void> {
  const mine: string[] = []
  for (const name of await readdir(parent)) {
    if (own.test(name) && (await isOurs(path.join(parent, name)))) mine.push(name)
  }
  for (const name of mine.toSorted().toReversed().slice(Math.max(1, keep)))
    await rm(path.join(parent, name), { recursive: true })
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(path.join(folder, manifestName), 'utf8'))
    const tool =
      typeof manifest === 'object' && manifest !== null && 'tool' in manifest ? manifest.tool : undefined
    return typeof tool === 'object' && tool !== null && 'name' in tool && tool.name === 'sealift'
  } catch {
    // Without a manifest of ours it is somebody else's.
    return false
  }
}
