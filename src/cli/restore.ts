import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { RestoreResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { findingLine } from './finding-line.ts'
import { collect, withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { printable } from './printable.ts'
import { duration, minute, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

type Options = CommonOptions &
  OpenOptions &
  ChoiceOptions & {
    readonly to?: string
    readonly only?: readonly string[]
    readonly force?: boolean
    readonly allowOutsideLinks?: boolean
    readonly into?: string
    readonly accept?: readonly string[]
    readonly publicUrl?: URL
    readonly env?: 'live' | 'archive'
  }

export function addRestore(program: Command, session: Session): void {
  const command = program.command('restore').summary('bring the application back from an archive')
  command
    .description(
      'Verifies an archive and puts its data back: to the original places, or below --to. Nothing is touched before all is verified and checked. What was there is set aside in a dated folder, and put back if a step fails.',
    )
    .argument(...archiveArgument)
    .option('--to <folder>', 'restore below this folder instead of the original places')
    .option('--into <folder>', 'the folder of the application here, where it is not the old one')
    .option('--only <path>', 'restore only this source or member (repeatable)', collect)
    .option('--force', 'replace what is there; it is set aside first')
    .option('--accept <check>', 'go on in spite of this finding (repeatable)', collect)
    .option('--public-url <url>', 'the address that the application has from now on', address)
    .addOption(
      new Option('--env <which>', 'the environment file that counts where they differ').choices([
        'live',
        'archive',
      ]),
    )
    .option('--allow-outside-links', 'restore symlinks that point out of their folder')
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(
    command,
    'sealift restore latest --force',
    'sealift restore notes-20261122T120000Z.sealift --to /tmp/look --no-config',
  )
  command.action((archive: string, options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { restore } = await import('../engine/restore.ts')
      const { to, only, into, accept, publicUrl, env } = options
      if (to !== undefined && into !== undefined) {
        throw new SealiftError('USAGE', { reason: '--to and --into exclude each other' })
      }
      return restore(ctx, {
        ...opening(job, archive, options, configured),
        ...(to === undefined ? {} : { to }),
        ...(only === undefined ? {} : { only }),
        ...(into === undefined ? {} : { into }),
        ...(accept === undefined ? {} : { accept }),
        settings: {
          ...(publicUrl === undefined ? {} : { publicUrl }),
          ...(env === undefined ? {} : { env }),
        },
        force: options.force === true,
        allowOutsideLinks: options.allowOutsideLinks === true,
      })
    }),
  )
}

function stepsLine(steps: RestoreResult['steps']): [string, string] {
  return ['steps', steps.map(({ step, seconds }) => `${step} ${duration(seconds)}`).join(', ')]
}

/** A whole address, as an option has it. */
export function address(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new InvalidArgumentError('it is a whole address, as https://mastio.example.org:9443')
}

const face: Face<RestoreResult> = {
  verb: 'restore',
  text: restoreText,
  attention: ({ checks, blocked }) =>
    blocked.length > 0 || checks.some(({ verdict }) => verdict === 'attention' || verdict === 'fail'),
}

function restoreText(
  { archive, restored, set_aside, checks, blocked, undone, steps }: RestoreResult,
  { report, style }: View,
): string {
  const head = fields([
    ['archive', printable(archive.name)],
    ['id', archive.id.slice(0, 8)],
    ['taken', minute(archive.created_at)],
    ['took', duration(report.seconds)],
    // Where minutes count, the reader wants to know what took them.
    ...(report.seconds < 5 ? [] : [stepsLine(steps)]),
  ])
  const parts = [`${style.bold('Restored.')}\n${head}`]
  parts.push(
    restored
      .map(
        ({ path, members, bytes }) =>
          `  ${printable(path)}\n    ${size(bytes)} in ${several(members, 'member')}`,
      )
      .join('\n'),
  )
  if (checks.length > 0) {
    const lines = checks.map(({ check, verdict, detail }) => {
      const word =
        verdict === 'ok' ? style.good('ok') : verdict === 'note' ? verdict : style.attention(verdict)
      return `  ${word}  ${printable(check)}: ${printable(detail)}`
    })
    parts.push(`Checks\n${lines.join('\n')}`)
  }
  if (undone.length > 0) {
    parts.push(`What this undoes\n${undone.map((line) => `  ${printable(line)}`).join('\n')}`)
  }
  if (blocked.length > 0) {
    const lines = blocked.map((one) => findingLine(one, style))
    parts.push(`${style.attention('Not ready to start')}\n${lines.join('\n')}`)
  }
  parts.push(
    set_aside.length === 0
      ? 'Nothing was there before.'
      : `The old state lies in\n${set_aside.map((path) => `  ${printable(path)}`).join('\n')}\nRemove it once the application runs well.`,
  )
  return parts.join('\n\n')
}
