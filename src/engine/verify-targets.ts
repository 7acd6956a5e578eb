import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import { newestFirst } from './newest-first.ts'
import { openArchive } from './open-archive.ts'
import type { OpenInput } from './open-archive.ts'
import type { Report, ReportedError, VerifyResult } from './report.ts'
import type { Run } from './run.ts'
import { named, reported, runVerb } from './run.ts'
import { keepStatus } from './status-file.ts'
import { verifyOpen } from './verify.ts'

export interface VerifyTargetsInput extends OpenInput {
  readonly application: Application
}

export interface VerifyTargetsResult {
  readonly targets: readonly {
    readonly target: string
    readonly ok: boolean
    readonly verified?: Omit<VerifyResult, 'live'>
    readonly error?: ReportedError
  }[]
}

/**
 * Reads the archive back at every target by itself: `latest` is the newest that each of them holds. A copy that is damaged,
 * missing or out of reach is that target's own result, and the run ends not `ok` with the first error. A target whose
 * newest is older than that of another one is told.
 */
export async function verifyTargets(
  ctx: Context,
  input: VerifyTargetsInput,
): Promise<Report<VerifyTargetsResult>> {
  return runVerb(ctx, 'verify', async (run) => {
    keepStatus(ctx, run, input.application)
    const targets: VerifyTargetsResult['targets'][number][] = []
    for (const target of input.application.targets) {
      const application = { ...input.application, targets: [target] }
      try {
        const archive =
          input.archive === 'latest' && input.before === undefined
            ? await newestAt(ctx, application)
            : input.archive
        await using found = await openArchive(ctx, { ...input, application, archive })
        const { manifest: _, ...verified } = await verifyOpen(ctx, run, application, found)
        targets.push({ target: target.name, ok: true, verified })
      } catch (error) {
        ctx.signal.throwIfAborted()
        run.fail(named(error))
        targets.push({ target: target.name, ok: false, error: reported(error) })
      }
    }
    if (input.archive === 'latest') tellBehind(run, targets)
    return { targets }
  })
}

/** The newest by name and time, also one that cannot be read as an archive any more: that is what is to be found out. */
async function newestAt(ctx: Context, application: Application): Promise<string> {
  const { archives, unreadable } = await readInventory(ctx, application.targets, application)
  const stamped = unreadable.map(({ name }) => ({ name, created_at: stampIn(name) }))
  return [...archives, ...stamped].toSorted(newestFirst)[0]?.name ?? 'latest'
}

/** The time in a name, as RFC 3339. */
function stampIn(name: string): string {
  const [, year, month, day, hour, minute, second] =
    /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? []
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}

function tellBehind(run: Run, targets: VerifyTargetsResult['targets']): void {
  const held = targets.flatMap(({ verified }) => (verified === undefined ? [] : [verified.archive]))
  const newest = held.toSorted((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0]
  for (const { target, name, created_at } of held) {
    if (newest === undefined || Date.parse(created_at) >= Date.parse(newest.created_at)) continue
    const message = `the newest archive of ${target} is ${name}, and ${newest.target} has ${newest.name}`
    run.warn({ code: 'target-behind', message })
  }
}
