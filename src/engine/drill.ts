import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { Target } from '../targets/target.ts'
import type { Context } from './context.ts'
import { drillOne } from './drill-one.ts'
import type { DrillInput } from './drill-one.ts'
import type { DrillOutcome, DrillResult } from './drill-result.ts'
import { makeScratch, refuseLiveScratch } from './drill-scratch.ts'
import { drillName } from './recover.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'
import { keepStatus } from './status-file.ts'
import { enterWorkplace } from './workplace.ts'

/**
 * Rehearses the worst day: fetches an archive from a target, restores it into a private folder with `restore` itself,
 * lets every check run, and takes the time. Nothing live is read or written, and no backup waits for it. What came of
 * it goes into the evidence log. The folder is removed in any case; after a kill the next start removes it.
 */
export async function drill(ctx: Context, input: DrillInput): Promise<Report<DrillResult>> {
  return runVerb(ctx, 'drill', async (run) => {
    const { application } = input
    const app = application?.app
    const places = placesOf(input)
    if (app !== undefined) run.concerns({ app })
    keepStatus(ctx, run, application)
    const scratch = input.scratch === undefined ? undefined : path.resolve(input.scratch)
    if (scratch !== undefined) refuseLiveScratch(scratch, application)
    const name = drillName(app)
    await using workplace = await enterWorkplace(ctx, name, 'drill')
    const keys = once(input.keys)
    const drills: DrillOutcome[] = []
    for (const target of places) {
      await using own = await makeScratch(ctx, run, name, scratch ?? workplace.scratch)
      drills.push(await drillOne({ ctx, run, input, target, keys, scratch: own.folder }))
    }
    const verdicts = drills.map(({ verdict }) => verdict)
    const worst = (['fail', 'attention'] as const).find((verdict) => verdicts.includes(verdict))
    return { drills, verdict: worst ?? 'ok' }
  })
}

/** The targets to fetch from; `undefined` stands for a file that is at hand. */
function placesOf({ archive, application, target, allTargets }: DrillInput): (Target | undefined)[] {
  const refuse = (reason: string): never => {
    throw new SealiftError('USAGE', { reason })
  }
  if (archive === '-') refuse('a drill reads its archive more than once: give a target or a path')
  const isFile = archive.includes('/') || application === undefined
  if (isFile && (target !== undefined || allTargets === true))
    refuse('an archive given by its path comes from no target')
  if (isFile) return [undefined]
  const { targets } = application
  if (allTargets === true) return [...targets]
  const names = targets.map(({ name }) => name).join(', ')
  const chosen = target === undefined ? targets.at(-1) : targets.find(({ name }) => name === target)
  return [chosen ?? refuse(`there is no target ${target ?? ''}; known: ${names}`)]
}

/** Asked for at most once, however many targets are drilled. */
function once<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let asked: Promise<Value> | undefined
  return () => (asked ??= ask())
}
