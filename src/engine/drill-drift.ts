import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { EvidenceRecord } from '../catalog/evidence-record.ts'
import { systemCode } from '../errors.ts'
import type { FactValue, Manifest } from '../manifest.ts'
import type { Application, Context } from './context.ts'

/** The facts of any database by which its shape is known. */
const shape: readonly string[] = ['schema_sha256', 'user_version']

/** Facts of an archive that tell whether the application changed, as `<source>.<fact>`. */
export type DriftFacts = Readonly<Record<string, string | number | boolean>>

/** The manifest of an archive that was restored below a folder; none where it has none (a foreign one). */
export async function restoredManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, 'MANIFEST.json'), 'utf8')) as Manifest
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

export function driftFacts(ctx: Context, manifest: Manifest): DriftFacts {
  const wanted = new Set([...shape, ...(ctx.profiles[manifest.profile]?.assurance?.drift ?? [])])
  return Object.fromEntries(
    manifest.sources.flatMap(({ name, facts }) =>
      Object.entries(facts).flatMap(([fact, value]) =>
        wanted.has(fact) && isPlain(value) ? [[`${name}.${fact}`, value] as const] : [],
      ),
    ),
  )
}

/**
 * What is not as it was when somebody last looked: the live configuration against the archive, this Sealift against
 * the one that wrote it, the application's shape against that of the drill before. A sentence each; none is a failure.
 */
export function driftOf(
  ctx: Context,
  manifest: Manifest,
  application: Application | undefined,
  previous: EvidenceRecord | undefined,
): string[] {
  return [
    ...(application === undefined ? [] : sourceDrift(manifest, application)),
    ...toolDrift(ctx, manifest, application),
    ...(previous === undefined ? [] : shapeDrift(driftFacts(ctx, manifest), previous)),
  ]
}

function sourceDrift(manifest: Manifest, { sources, app }: Application): string[] {
  const notes = app === manifest.app ? [] : [`the archive is of ${manifest.app}, the configuration of ${app}`]
  const archived = new Map(manifest.sources.map((source) => [source.name, source]))
  for (const { name, kind, place } of sources) {
    const was = archived.get(name)
    archived.delete(name)
    if (was === undefined) notes.push(`source ${name} is configured, and not in the archive`)
    else if (was.kind !== kind) notes.push(`source ${name} was ${was.kind}, and is configured as ${kind}`)
    // Another program's archive does not say where its data came from.
    else if (isOurs(manifest) && was.place !== undefined && was.place.path !== place.path)
      notes.push(`source ${name} came from ${was.place.path}, and is configured at ${place.path}`)
  }
  return [...notes, ...[...archived.keys()].map((name) => `source ${name} is archived, and not configured`)]
}

function toolDrift(ctx: Context, manifest: Manifest, application: Application | undefined): string[] {
  const { tool, profile, host } = manifest
  const other = application !== undefined && application.profile.name !== profile
  return [
    ...(isOurs(manifest) && tool.version !== ctx.version
      ? [`the archive was written by ${tool.name} ${tool.version}, and this is ${ctx.version}`]
      : []),
    ...(other
      ? [`the archive has the profile ${profile}, the configuration ${application.profile.name}`]
      : []),
    ...(isOurs(manifest) && host !== ctx.host
      ? [`the archive was written on ${host}, and this is ${ctx.host}`]
      : []),
  ]
}

function isOurs({ tool }: Manifest): boolean {
  return tool.name === 'sealift'
}

function shapeDrift(now: DriftFacts, previous: EvidenceRecord): string[] {
  const before = previous.details['facts']
  if (typeof before !== 'object' || before === null || Array.isArray(before)) return []
  const when = previous.time.slice(0, 10)
  const known = before as Readonly<Record<string, FactValue>>
  return Object.entries(now).flatMap(([fact, value]) => {
    const was = known[fact]
    if (was === undefined || was === value) return []
    return [`${fact} was ${brief(was)} at the drill of ${when}, and is ${brief(value)}`]
  })
}

function isPlain(value: FactValue): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function brief(value: FactValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 24 ? `${text.slice(0, 12)}…` : text
}
