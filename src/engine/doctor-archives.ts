import type { Application, Context } from './context.ts'
import { attempted } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { readInventory } from './inventory.ts'

const hour = 3_600_000
/** A newest archive that is older wants a look, whatever the schedule is. */
const staleAfter = 7 * 24 * hour
/** Clocks of two machines may differ by so much. */
const skew = 5 * 60_000

/** What there is to restore from: how old, whether it was read back, and whether the clock can be believed. */
export async function examineArchives(ctx: Context, application: Application): Promise<DoctorFinding[]> {
  const check = 'newest archive'
  const findings: DoctorFinding[] = []
  const newest = await attempted(
    check,
    async () => {
      const { archives, unreadable } = await readInventory(ctx, application.targets, application)
      if (unreadable.length > 0) {
        const names = unreadable.map(({ name, target }) => `${name} at ${target}`).join(', ')
        const fix = '`sealift list` says what is wrong with each'
        findings.push({ check: 'unreadable archives', verdict: 'attention', detail: names, fix })
      }
      const [archive] = archives
      if (archive === undefined)
        return { check, verdict: 'attention', detail: 'there is none yet', fix: 'run `sealift backup`' }
      const age = ctx.now().getTime() - Date.parse(archive.created_at)
      findings.push(clock(age, archive))
      const when = `${archive.name} of ${archive.created_at}`
      if (age > staleAfter) {
        const fix = 'run `sealift backup`, and see to it that something does so regularly'
        return {
          check,
          verdict: 'attention',
          detail: `${when} is ${Math.floor(age / (24 * hour))} days old`,
          fix,
        }
      }
      if (!archives.some(({ id, verified_at }) => id === archive.id && verified_at !== null)) {
        const fix = 'run `sealift verify latest`, or back up with --verify'
        return { check, verdict: 'attention', detail: `${when} was written, and never verified`, fix }
      }
      return { check, verdict: 'ok', detail: `${when} was verified` }
    },
    ctx.signal,
  )
  return [newest, ...findings]
}

function clock(age: number, { name, created_at }: { name: string; created_at: string }): DoctorFinding {
  const check = 'clock'
  if (age >= -skew) return { check, verdict: 'ok', detail: 'no archive is from the future' }
  const detail = `${name} is from the future (${created_at}): this clock is behind, or another one was ahead`
  const fix = 'set the clock; until then retention counts this archive as the newest'
  return { check, verdict: 'attention', detail, fix }
}
