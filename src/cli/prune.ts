import type { Command } from 'commander'
import type { ArchiveSummary, PruneResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { wholeNumber, withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { minute, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { table } from './table.ts'

type Options = CommonOptions & {
  readonly dryRun?: boolean
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
      'Removes archives that no rule of the retention keeps, judged by the time the archive itself states. The newest verified archive is always kept. Any --keep option replaces `retention` of the configuration as a whole.',
    )
    .option('-n, --dry-run', 'show what would be removed, and remove nothing')
  for (const [word, what] of rules) {
    command.option(`--keep-${word} <number>`, `keep ${what}`, wholeNumber)
  }
  withOutput(withConfig(command))
  withExample(command, 'sealift prune --dry-run', 'sealift prune --keep-daily 7 --keep-weekly 5')
  command.action((options: Options) =>
    session.perform(options, faceFor(options), async (job) => {
      const configured = await job.configured()
      const retention = given(options) ?? configured.application.retention
      if (retention === undefined) {
        throw new SealiftError('USAGE', {
          reason: `${configured.path} has no \`retention\`, and no --keep option says what to keep`,
        })
      }
      const ctx = await job.context(configured)
      const { prune } = await import('../engine/prune.ts')
      const { application } = configured
      return prune(ctx, { application, retention, dryRun: options.dryRun === true })
    }),
  )
}

const rules = [
  ['last', 'the newest'],
  ['daily', 'the last of each of this many days'],
  ['weekly', 'the last of each of this many weeks'],
  ['monthly', 'the last of each of this many months'],
  ['yearly', 'the last of each of this many years'],
] as const

function given(options: Options): Record<string, number> | undefined {
  const { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly } = options
  const all = {
    keep_last: keepLast,
    keep_daily: keepDaily,
    keep_weekly: keepWeekly,
    keep_monthly: keepMonthly,
    keep_yearly: keepYearly,
  }
  const named = Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined)
  if (named.length === 0) return undefined
  if (named.every(([, number]) => number === 0)) {
    throw new SealiftError('USAGE', {
      reason: 'this would keep nothing: at least one --keep must be above 0',
    })
  }
  return Object.fromEntries(named)
}

/** What a dry run prints is what was asked for; of a real one, `--quiet` wants nothing but errors. */
function faceFor({ dryRun }: Options): Face<PruneResult> {
  return { verb: 'prune', text: pruneText, ...(dryRun === true && { stdout: 'product' }) }
}

const columns = [{}, { align: 'right' }, {}, {}, { shrink: true }] as const

function pruneText({ kept, removed, dry_run }: PruneResult, { style }: View): string {
  const freed = removed.reduce((sum, archive) => sum + archive.size, 0)
  const verb = dry_run ? 'Would remove' : 'Removed'
  const parts: string[] = []
  if (kept.length > 0) {
    const rows = kept.map(({ archive, reasons }) => [...row(archive), printable(reasons.join(', '))])
    parts.push(`Kept ${several(kept.length, 'archive')}\n${table(columns, rows)}`)
  }
  const rows = removed.map((archive) => [...row(archive), ''])
  const head = `${verb} ${several(removed.length, 'archive')}${freed > 0 ? `, ${size(freed)}` : ''}`
  parts.push(removed.length === 0 ? `${head}.` : `${style.attention(head)}\n${table(columns, rows)}`)
  return parts.join('\n\n')
}

function row(archive: ArchiveSummary): string[] {
  return [
    `  ${minute(archive.created_at)}`,
    size(archive.size),
    archive.id.slice(0, 8),
    printable(archive.target),
  ]
}
