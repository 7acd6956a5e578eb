import type { Command } from 'commander'
import type { GuardResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { asking, withAsking } from './asking.ts'
import type { AskOptions } from './asking.ts'
import { checkText } from './check.ts'
import { sealSlots } from './keys.ts'
import type { SealOptions } from './keys.ts'
import { collect, wholeNumber, withConfig, withExample, withOutput, withSealing } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { duration } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

type Options = CommonOptions &
  SealOptions &
  AskOptions & {
    readonly checkUrl?: string
    readonly logsCommand?: string
    readonly autoRollback?: boolean
    readonly folder?: boolean
    readonly keepFolders: number
    readonly accept?: readonly string[]
  }

export function addGuard(program: Command, session: Session): void {
  const command = program.command('guard').summary('make a change that can be undone')
  command
    .description(
      'Takes a verified backup, then runs the command, then checks the application. Unless the backup is good the command is not run. Where the command or a check fails, the exact way back is printed, or gone with --auto-rollback.',
    )
    .argument('<command...>', 'what changes the application, behind --')
    .option('--auto-rollback', 'on a failure, stop the application, restore it and start it again')
    .option('--check-url <url>', 'check the running application there afterwards')
    .option('--logs-command <line>', 'a line for the shell that prints its log since the start')
    .option('--folder', 'leave the backup as a plain folder beside the application, too')
    .option('--keep-folders <number>', 'how many such folders stay', wholeNumber, 5)
    .option('--accept <check>', 'roll back in spite of this finding (repeatable)', collect)
  withAsking(command)
  withOutput(withConfig(withSealing(command)))
  withExample(
    command,
    'sealift guard -- ./deploy.sh --upgrade 0.4.5',
    'sealift guard --auto-rollback --check-url https://localhost:9443 -- ./up.sh',
  )
  command.action((words: readonly string[], options: Options) =>
    session.perform(options, face, async (job) => {
      const { application, ...configured } = await job.configured()
      const { checkUrl, logsCommand, accept } = options
      if (checkUrl === undefined && options.ca !== undefined)
        throw new SealiftError('USAGE', { reason: '--ca goes with --check-url' })
      const ask = checkUrl === undefined ? undefined : await asking(checkUrl, options)
      const ctx = await job.context({ application, ...configured })
      const slots = async () => {
        job.renderer.pause()
        return sealSlots(job.world, options, configured.seal)
      }
      const { guard } = await import('../engine/guard.ts')
      return guard(ctx, {
        application,
        slots,
        command: words,
        config: configured.path,
        autoRollback: options.autoRollback === true,
        quietOutput: options.json === true,
        ...(ask === undefined ? {} : { ask }),
        ...(logsCommand === undefined ? {} : { logsCommand }),
        ...(options.folder === true ? { folder: { keep: options.keepFolders } } : {}),
        ...(accept === undefined ? {} : { accept }),
      })
    }),
  )
}

const face: Face<GuardResult> = {
  verb: 'guard',
  text: guardText,
  attention: ({ checks, backup, good }) =>
    good &&
    (backup.verdict === 'attention' || checks?.findings.some((one) => one.class === 'attention') === true),
}

function guardText(result: GuardResult, view: View): string {
  const { backup, folder, command, checks, good, way_back, rolled_back } = result
  const { style } = view
  const { code, signal, seconds } = command
  const end =
    code === 0 ? 'ended well' : `ended with ${signal ?? (code === null ? 'an error' : `exit code ${code}`)}`
  const head = fields([
    ['backup', `${printable(backup.archive.name)} (${backup.archive.id.slice(0, 8)}), verified`],
    ...(folder === undefined
      ? []
      : [
          ['folder', `${printable(folder)}: on the same disk, no substitute for a backup elsewhere`] as const,
        ]),
    ['command', `${printable(command.words.join(' '))}: ${end} after ${duration(seconds)}`],
  ])
  const said = good ? style.bold('Changed.') : style.bad('The change failed.')
  const parts = [`${said}\n${head}`]
  if (checks !== undefined && checks.looks.length > 0) parts.push(checkText(checks, view))
  if (rolled_back !== undefined) parts.push(rolledBackText(rolled_back, style))
  if (rolled_back?.ok !== true) {
    const title = good ? 'The way back, should it be needed' : style.bold('The way back')
    parts.push(`${title}\n${way_back.map((line) => `  ${printable(line)}`).join('\n')}`)
  }
  return parts.join('\n\n')
}

function rolledBackText(
  { ok, stopped, restore, started }: NonNullable<GuardResult['rolled_back']>,
  style: View['style'],
): string {
  const lines = [
    stopped ? 'the application was stopped' : 'the application was not stopped by Sealift',
    restore === undefined ? 'nothing was restored' : `restored from ${printable(restore.archive.name)}`,
    ...(restore?.set_aside ?? []).map((path) => `the state after the change lies in ${printable(path)}`),
    ...(restore?.undone ?? []).map((one) => `undone: ${printable(one)}`),
    ...(restore?.blocked ?? []).map((one) => `not ready: ${printable(one.check)}: ${printable(one.detail)}`),
    started ? 'the application was started again' : 'the application was not started by Sealift',
  ]
  const title = ok ? style.good('Rolled back.') : style.bad('The rollback failed.')
  return `${title}\n${lines.map((line) => `  ${line}`).join('\n')}`
}
