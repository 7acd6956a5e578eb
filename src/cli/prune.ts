import type { Command } from 'commander'
import type { Retention } from '../engine/context.ts'
import type { PruneResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { keysAtHand } from './keys.ts'
import { wholeNumber, withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { judgedText, prunedText } from './pruned-text.ts'
import { several } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'

type Options = CommonOptions & {
  readonly dryRun?: boolean
  readonly olderThan?: string
  readonly keepWithin?: string
  readonly keepNewestVerified?: number
  readonly keepAtMost?: number
  readonly keepLast?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
}

export function addPrune(program: Command, session: Session): void {
  const command = program.command('prune').summary('remove archives that the retention does not keep')
  command
    .description(
      'Removes archives that no rule of the retention keeps, judged by the time the archive itself states. The newest verified archives, the last good one and, where the profile names such a fact, the last one of each of its values always stay. Any --keep option or --older-than replaces `retention` of the configuration as a whole.',
    )
    .option('-n, --dry-run', 'show what would be removed and why, and remove nothing')
    .option('--older-than <time>', 'remove what is older than this, as in 30d, and kept by no other rule')
    .option('--keep-within <time>', 'the same, said the other way round')
  for (const [word, what] of rules) {
    command.option(`--keep-${word} <number>`, `keep ${what}`, wholeNumber)
  }
  withOutput(withConfig(command))
  withExample(command, 'sealift prune --dry-run', 'sealift prune --older-than 30d --keep-newest-verified 7')
  command.action((options: Options) =>
    session.perform(options, faceFor(options), async (job) => {
      const configured = await job.configured()
      const retention = (await given(options)) ?? configured.application.retention
      if (retention === undefined) {
        throw new SealiftError('USAGE', {
          reason: `${configured.path} has no \`retention\`, and no --keep option says what to keep`,
        })
      }
      const ctx = await job.context(configured)
      const { prune } = await import('../engine/prune.ts')
      const { application, seal } = configured
      return prune(ctx, {
        application,
        retention,
        dryRun: options.dryRun === true,
        keys: () => keysAtHand(job.world, seal),
      })
    }),
  )
}

const rules = [
  ['last', 'the newest'],
  ['daily', 'the last of each of this many days'],
  ['weekly', 'the last of each of this many weeks'],
  ['monthly', 'the last of each of this many months'],
  ['yearly', 'the last of each of this many years'],
  ['newest-verified', 'this many of the newest verified, in any case'],
  ['at-most', 'at most so many of what the rules keep'],
] as const

async function given(options: Options): Promise<Retention | undefined> {
  const all = {
    keep_last: options.keepLast,
    keep_daily: options.keepDaily,
    keep_weekly: options.keepWeekly,
    keep_monthly: options.keepMonthly,
    keep_yearly: options.keepYearly,
    keep_within: await within(options),
    keep_newest_verified: options.keepNewestVerified,
    keep_at_most: options.keepAtMost,
  }
  const named = Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined)
  if (named.length === 0) return undefined
  const { keepsSomething } = await import('../engine/retention.ts')
  const policy: Retention = Object.fromEntries(named)
  if (!keepsSomething(policy)) {
    const reason = 'this would keep nothing: at least one --keep must be above 0'
    throw new SealiftError('USAGE', { reason })
  }
  return policy
}

/** `--older-than` and `--keep-within` are one rule seen from two sides. */
async function within({ olderThan, keepWithin }: Options): Promise<number | undefined> {
  const text = olderThan ?? keepWithin
  if (text === undefined) return undefined
  if (olderThan !== undefined && keepWithin !== undefined) {
    throw new SealiftError('USAGE', { reason: '--older-than and --keep-within are the same rule: give one' })
  }
  const { readDuration } = await import('../config/duration.ts')
  const seconds = readDuration(text)
  if (seconds !== undefined) return seconds
  const option = olderThan === undefined ? '--keep-within' : '--older-than'
  const reason = `${option} ${text}: write a number above 0 and s, m, h, d or w, as in 30d`
  throw new SealiftError('USAGE', { reason })
}

/** What a dry run prints is what was asked for; of a real one, `--quiet` wants nothing but errors. */
function faceFor({ dryRun }: Options): Face<PruneResult> {
  return { verb: 'prune', text: pruneText, ...(dryRun === true && { stdout: 'product' }) }
}

function pruneText(result: PruneResult, { style }: View): string {
  const { kept } = result
  const parts = kept.length === 0 ? [] : [judgedText(`Kept ${several(kept.length, 'archive')}`, kept)]
  return [...parts, prunedText(result, style)].join('\n\n')
}
