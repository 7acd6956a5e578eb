import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { attempted, sized } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { isOffHost, placeTargets } from './off-host.ts'

/** Every target: can be written to, has room for another archive, and at least one is not on the sources' own disk. */
export async function examineTargets(
  ctx: Context,
  application: Application,
  bytes: number,
): Promise<DoctorFinding[]> {
  const { app, targets } = application
  const findings: DoctorFinding[] = []
  for (const target of targets) {
    const check = `target ${target.name}`
    const writing = await attempted(check, () => writable(ctx, app, target, check), ctx.signal)
    findings.push(writing)
    if (writing.verdict !== 'fail')
      findings.push(await attempted(`space at ${target.name}`, () => space(target, bytes), ctx.signal))
  }
  findings.push(await attempted('off-host', () => offHost(ctx, application), ctx.signal))
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

/** One fault must not take the application and every archive of it. */
async function offHost(ctx: Context, application: Application): Promise<DoctorFinding> {
  const check = 'off-host'
  const { targets, sources, requireOffHost } = application
  const placements = await placeTargets(ctx, targets, sources)
  const near = placements.filter(({ distance }) => !isOffHost(distance))
  const refused = near.filter(
    ({ target, distance }) => distance === 'same-device' && requireOffHost?.has(target),
  )
  const detail = (near.length === 0 ? placements : near)
    .map(({ target, detail: where }) => `${target} is ${where}`)
    .join('; ')
  if (refused.length > 0) {
    const fix = 'mount the disk or share that belongs there: until then nothing is written to it'
    return { check, verdict: 'fail', detail, fix }
  }
  const fix = 'add a target that another disk or host holds, or let another tool copy the archives away'
  return near.length === placements.length
    ? { check, verdict: 'attention', detail, fix }
    : { check, verdict: 'ok', detail }
}
