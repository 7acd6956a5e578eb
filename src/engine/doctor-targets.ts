import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { attempted, sized } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'

/** Every target: can be written to, has room for another archive, and at least one is not on the sources' own disk. */
export async function examineTargets(
  ctx: Context,
  { app, targets, sources }: Application,
  bytes: number,
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  for (const target of targets) {
    const check = `target ${target.name}`
    const writing = await attempted(check, () => writable(ctx, app, target, check), ctx.signal)
    findings.push(writing)
    if (writing.verdict !== 'fail')
      findings.push(await attempted(`space at ${target.name}`, () => space(target, bytes), ctx.signal))
  }
  const places = sources.map((source) => source.place.path)
  findings.push(await attempted('off-host', () => offHost(targets, places), ctx.signal))
  return findings
}

/** Begins an archive and gives it up: it never becomes visible. */
async function writable(ctx: Context, app: string, target: Target, check: string): Promise<DoctorFinding> {
  const name = `${app}-doctor-${ctx.random(6).toString('hex')}.sealift`
  await using writer = await target.create(name, { signal: ctx.signal })
  await new Promise<void>((resolve, reject) => {
    writer.stream.once('error', reject)
    writer.stream.write(Buffer.alloc(4096), (error) => (error ? reject(error) : resolve()))
  })
  return { check, verdict: 'ok', detail: `${target.location} can be written to` }
}

async function space(target: Target, bytes: number): Promise<DoctorFinding> {
  const check = `space at ${target.name}`
  const free = await target.free()
  if (free === undefined) return { check, verdict: 'ok', detail: 'the target does not say how much is free' }
  const detail = `${sized(free)} free, an archive has at most about ${sized(bytes)}`
  const fix = '`sealift prune --dry-run` shows what retention would free'
  if (free < bytes) return { check, verdict: 'fail', detail, fix }
  return free < 3 * bytes ? { check, verdict: 'attention', detail, fix } : { check, verdict: 'ok', detail }
}

/** A device number says which disk: the same one for source and archive means that one fault takes both. */
async function offHost(targets: readonly Target[], places: readonly string[]): Promise<DoctorFinding> {
  const check = 'off-host'
  const folders = targets.filter((target) => path.isAbsolute(target.location))
  if (folders.length < targets.length)
    return { check, verdict: 'ok', detail: 'a target lies on another host' }
  const devices = new Set(await Promise.all(places.map(deviceOf)))
  const elsewhere: string[] = []
  for (const { name, location } of folders) if (!devices.has(await deviceOf(location))) elsewhere.push(name)
  const fix = 'add a target that another disk or host holds, or let another tool copy the archives away'
  if (elsewhere.length > 0) {
    const detail = `${elsewhere.join(', ')} lies on another disk, and on this host as far as Sealift can see`
    return { check, verdict: 'ok', detail }
  }
  return {
    check,
    verdict: 'attention',
    detail: 'every target lies on a disk that is backed up to it: not off-host',
    fix,
  }
}

async function deviceOf(place: string): Promise<number | undefined> {
  for (let at = place; ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found !== undefined || at === path.dirname(at)) return found?.dev
  }
}
