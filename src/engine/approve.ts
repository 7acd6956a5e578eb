import path from 'node:path'
import { reasonOf, SealiftError } from '../errors.ts'
import type { Facts, Manifest, ManifestSource } from '../manifest.ts'
import type { Arranged, Attributes, Settings } from '../profiles/arrangement.ts'
import type { Places, ProfileFinding } from '../profiles/examination.ts'
import { asFinding } from '../profiles/examination.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Finding, SourceDriver } from '../sources/source.ts'
import type { Context } from './context.ts'
import type { Destination } from './destinations.ts'
import { redirect } from './destinations.ts'
import { judged, sentence } from './examine.ts'
import type { Judged } from './examine.ts'
import type { Run } from './run.ts'

/** Staged data that is to be judged before it goes live. */
export interface Candidate {
  readonly ctx: Context
  readonly run: Run
  readonly manifest: Manifest
  readonly destinations: readonly Destination[]
  /** Findings that the operator accepts, by their words. */
  readonly accept: readonly string[]
  readonly settings: Settings
  /** Whether it takes the application's own places: a copy elsewhere is examined, and refused for nothing found. */
  readonly inPlace: boolean
  /** A private folder for copies of what stands there now. */
  readonly scratch: string
}

export interface Approval {
  /** Where all goes: a file that must not replace the live one goes beside it. */
  readonly destinations: readonly Destination[]
  /** What the folders around sources of one file are given, by source name. */
  readonly around: ReadonlyMap<string, Attributes>
  readonly checks: readonly Finding[]
  /** What the profile's examination came to, where it was done. */
  readonly judged?: Judged
  readonly blocked: readonly ProfileFinding[]
  readonly undone: readonly string[]
}

/**
 * Judges staged data: the sources' own checks, the profile's checks and examination, then the profile's arrangement for
 * this host. CHECK_FAILED when something speaks against going live that was not accepted; nothing is changed then.
 */
export async function approve(candidate: Candidate): Promise<Approval> {
  const { ctx, run, manifest, destinations, inPlace } = candidate
  ctx.emit({ type: 'phase', phase: 'check', label: 'checking the restored data' })
  const profile = profileOf(ctx, manifest)
  const staged = stagedPlaces(destinations)
  const checks = await runChecks(candidate, profile, staged)
  const { findings: examined, facts } = await examine(candidate, profile, staged)
  const arranged = inPlace ? await arrange(candidate, profile, staged) : undefined
  const findings = [...examined, ...(arranged?.findings ?? [])]
  refuse(candidate, checks, examined, arranged?.findings ?? [])
  const all = [...checks, ...findings.map(asFinding)]
  for (const { check, verdict, detail } of all) {
    if (verdict === 'attention' || verdict === 'fail')
      run.warn({ code: `check-${verdict}`, message: `${check}: ${detail}` })
  }
  return {
    destinations: await besides(destinations, arranged),
    around: arranged?.around ?? new Map<string, Attributes>(),
    checks: all,
    ...(facts === undefined ? {} : { judged: judged(facts, examined) }),
    blocked: arranged?.blocked ?? [],
    undone: arranged?.undone ?? [],
  }
}

async function runChecks({ ctx, manifest, destinations }: Candidate, profile: Profile, staged: Places) {
  const findings: Finding[] = []
  for (const { recorded } of destinations) {
    if (recorded === undefined) continue
    const at = staged.get(recorded.name) ?? ''
    const found = await driverOf(ctx, recorded).checkRestored(at, recorded, ctx.signal)
    findings.push(...found.map((finding) => ({ ...finding, check: `${recorded.name} ${finding.check}` })))
  }
  for (const check of profile.checks ?? []) findings.push(...(await check.run(staged, manifest, ctx.signal)))
  return findings
}

/**
 * The profile judges what is restored of the application's main source, whatever else is. Without that source nothing is
 * examined, and the report says so.
 */
async function examine(
  { ctx, run, manifest }: Candidate,
  profile: Profile,
  staged: Places,
): Promise<{ readonly findings: readonly ProfileFinding[]; readonly facts?: Facts }> {
  if (profile.examine === undefined) return { findings: [] }
  // A backup notes its verdict there; a foreign archive has its database first.
  const main = manifest.sources.find(({ facts }) => 'verdict' in facts) ?? manifest.sources[0]
  if (main === undefined || !staged.has(main.name)) {
    const message = 'only a part is restored: the checks of the application were not run'
    run.warn({ code: 'not-examined', message })
    return { findings: [] }
  }
  const takenAt = new Date(main.snapshot_at)
  return await profile.examine(
    { places: staged, stage: 'restore', redacted: true, takenAt, manifest },
    ctx.signal,
  )
}

async function arrange(
  candidate: Candidate,
  profile: Profile,
  staged: Places,
): Promise<Arranged | undefined> {
  const { ctx, manifest, destinations, settings } = candidate
  if (profile.arrange === undefined) return undefined
  const standing = await standingPlaces(candidate)
  const live = livePlaces(destinations)
  const { privileged } = ctx
  return profile.arrange(
    { staged, live, standing, manifest, settings, privileged, now: ctx.now() },
    ctx.signal,
  )
}

function refuse(
  { ctx, manifest, inPlace, accept, run }: Candidate,
  checks: readonly Finding[],
  examined: readonly ProfileFinding[],
  arranged: readonly ProfileFinding[],
): void {
  const failed = checks.filter((one) => one.verdict === 'fail').map((one) => `${one.check}: ${one.detail}`)
  const accepted = new Set(accept)
  const against = [
    ...examined.filter((one) => one.class !== 'note'),
    ...arranged.filter((one) => one.class === 'hard' || one.class === 'fail'),
  ].filter((one) => one.class === 'hard' || !accepted.has(one.check))
  if (failed.length > 0 || (inPlace && against.length > 0)) {
    throw new SealiftError('CHECK_FAILED', { failed: [...failed, ...against.map(sentence)] })
  }
  const guards = profileOf(ctx, manifest).guards ?? []
  const words = new Set([
    ...[...examined, ...arranged].map((one) => one.check),
    ...guards.map((one) => one.name),
  ])
  for (const word of accepted) {
    if (words.has(word)) continue
    run.warn({ code: 'nothing-to-accept', message: `there is no finding ${word} to accept` })
  }
}

async function besides(
  destinations: readonly Destination[],
  arranged: Arranged | undefined,
): Promise<Destination[]> {
  const changed: Destination[] = []
  for (const destination of destinations) {
    const source = destination.recorded?.name ?? ''
    const name = arranged?.beside.get(source)
    changed.push(name === undefined ? destination : await redirect(destination, name))
    const second = arranged?.also?.get(source)
    if (second !== undefined)
      changed.push({ ...(await redirect(destination, path.basename(second))), staged: second })
  }
  return changed
}

/** What lies at the destinations now; a database as a copy of its own, left out where it cannot be read any more. */
async function standingPlaces({ ctx, run, destinations, scratch }: Candidate): Promise<Places> {
  const standing = new Map<string, string>()
  for (const { recorded, destination, standing: found } of destinations) {
    if (recorded === undefined || found.kind === 'nothing') continue
    const driver = driverOf(ctx, recorded)
    if (driver.copy === undefined) {
      standing.set(recorded.name, destination)
      continue
    }
    const copy = path.join(scratch, `standing-${recorded.name}`)
    try {
      await driver.copy(destination, copy, { signal: ctx.signal, now: ctx.now })
      standing.set(recorded.name, copy)
    } catch (error) {
      ctx.signal.throwIfAborted()
      const message = `what the restore undoes in ${destination} cannot be told: ${reasonOf(error)}`
      run.warn({ code: 'standing-unreadable', source: recorded.name, message })
    }
  }
  return standing
}

/** Where the data of whole sources goes. */
export function livePlaces(destinations: readonly Destination[]): Places {
  return placesOf(destinations, ({ destination }) => destination)
}

function stagedPlaces(destinations: readonly Destination[]): Places {
  return placesOf(destinations, stagedPathOf)
}

function placesOf(
  destinations: readonly Destination[],
  at: (destination: Destination, recorded: ManifestSource) => string,
): Places {
  const places = new Map<string, string>()
  for (const destination of destinations) {
    const { recorded } = destination
    if (recorded !== undefined) places.set(recorded.name, at(destination, recorded))
  }
  return places
}

/** Where a source's own data is staged: below `--to` a single file lies in a folder named after the source. */
function stagedPathOf({ staged, prefix }: Destination, recorded: ManifestSource): string {
  const inFolder = recorded.place?.type === 'file' && prefix === recorded.name
  return inFolder ? path.join(staged, path.basename(recorded.place.path)) : staged
}

function driverOf(ctx: Context, recorded: ManifestSource): SourceDriver {
  const driver = ctx.sourceDrivers[recorded.kind]
  if (driver === undefined) {
    const reason = `this Sealift knows no source of kind ${recorded.kind}`
    throw new SealiftError('DESTINATION_REFUSED', { path: recorded.name, reason })
  }
  return driver
}

/** The profile that an archive was made with. USAGE when this program has none of that name. */
export function profileOf(ctx: Context, manifest: Manifest): Profile {
  const profile = ctx.profiles[manifest.profile]
  if (profile === undefined)
    throw new SealiftError('USAGE', { reason: `this Sealift knows no profile ${manifest.profile}` })
  return profile
}
