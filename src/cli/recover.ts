import { Option } from 'commander'
import type { Command } from 'commander'
import type { RecoverResult } from '../engine/report.ts'
import { findingLine } from './finding-line.ts'
import { identityTable } from './identity-table.ts'
import type { OpenOptions } from './keys.ts'
import { parseMoment } from './moment.ts'
import { opening, withFolders } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { collect, withConfig, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { moment, several } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import { address } from './restore.ts'
import type { Session } from './session.ts'
import { fields, table } from './table.ts'

type Options = CommonOptions &
  OpenOptions &
  ChoiceOptions & {
    readonly breachAt: string
    readonly restore?: boolean
    readonly rotate?: boolean
    readonly deactivate?: readonly string[]
    readonly publicUrl?: URL
    readonly env?: 'live' | 'archive'
    readonly accept?: readonly string[]
    readonly compromised?: readonly string[]
    readonly auditFrom?: string
    readonly auditTo?: string
    readonly auditOut?: string
    readonly report?: string
  }

export function addRecover(program: Command, session: Session): void {
  const command = program.command('recover').summary('come back after a breach')
  command
    .description(
      'Walks through the recovery after a breach: chooses the last archive of a state from before it, restores it with --restore, gives the local secrets new values, lists all others and who must be enrolled again, and reads the audit of the compromised state. Without --restore nothing is changed.',
    )
    .argument('[archive]', 'an archive of a state from before the breach; default: the last one')
    .requiredOption('--breach-at <time>', 'the moment from which nothing is to be trusted')
    .option('--restore', 'bring the archive back and rotate the local secrets')
    .option('--rotate', 'only rotate the local secrets, after a recovery of which that failed')
    .option('--deactivate <id>', 'take this agent out of service (repeatable)', collect)
    .option('--public-url <url>', 'the address that the application has from now on', address)
    .addOption(
      new Option('--env <which>', 'the environment file that counts (default: archive)').choices([
        'live',
        'archive',
      ]),
    )
    .option('--accept <check>', 'restore in spite of this finding (repeatable)', collect)
    .option('--compromised <folder>', 'where an earlier restore set that state aside (repeatable)', collect)
    .option('--audit-from <time>', 'begin of the audit window (default: the state of the archive)')
    .option('--audit-to <time>', 'end of the audit window (default: now)')
    .option('--audit-out <file>', 'write the rows of the window to this new file')
    .option('--report <file>', 'write the result to this new file')
    .option('--allow-later', 'take the archive that is named, though its state is later')
  withFolders(command)
  withOutput(withConfig(withOpening(command)))
  withExample(
    command,
    'sealift recover --breach-at 2026-05-14T10:30:00Z',
    'sealift recover --breach-at 2026-05-14T10:30:00Z --restore',
  )
  command.action((archive: string | undefined, options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configured()
      const ctx = await job.context(configured)
      const { recover } = await import('../engine/breach.ts')
      const { keys, from, allowLater } = opening(job, archive ?? 'latest', options, configured)
      const { publicUrl, env, compromised, auditFrom, auditTo, auditOut, report } = options
      return recover(ctx, {
        application: configured.application,
        archive: archive ?? 'latest',
        keys,
        from,
        allowLater,
        breachAt: parseMoment(options.breachAt, '--breach-at'),
        restore: options.restore === true,
        rotate: options.rotate === true,
        deactivate: options.deactivate ?? [],
        accept: options.accept ?? [],
        keyFiles: configured.seal.passphraseFile === undefined ? [] : [configured.seal.passphraseFile],
        settings: {
          ...(publicUrl === undefined ? {} : { publicUrl }),
          ...(env === undefined ? {} : { env }),
        },
        ...(compromised === undefined ? {} : { compromised }),
        ...(auditFrom === undefined ? {} : { auditFrom: parseMoment(auditFrom, '--audit-from') }),
        ...(auditTo === undefined ? {} : { auditTo: parseMoment(auditTo, '--audit-to') }),
        ...(auditOut === undefined ? {} : { auditOut }),
        ...(report === undefined ? {} : { reportFile: report }),
      })
    }),
  )
}

const face: Face<RecoverResult> = {
  verb: 'recover',
  text: recoverText,
  stdout: 'product',
  attention: ({ audit, restore }) =>
    (restore?.blocked.length ?? 0) > 0 ||
    audit?.findings.some(({ class: weight }) => weight !== 'note') === true,
}

function recoverText(result: RecoverResult, { style }: View): string {
  const { guidance, archive, state_of, breach_at, later, restore, secrets, identities, warnings } = result
  const list = (lines: readonly string[]): string => lines.map((line) => `  ${printable(line)}`).join('\n')
  const others = later.length === 0 ? 'none' : later.map(({ name }) => name).join(', ')
  const parts = [
    `${style.bold('First')}\n${list(guidance)}`,
    `${style.bold('The last clean archive')}\n${fields([
      ['archive', `${printable(archive.name)} (${archive.id.slice(0, 8)}) at ${printable(archive.target)}`],
      ['state of', `${moment(state_of)}, the breach was at ${moment(breach_at)}`],
      ['not to be used', printable(others)],
    ])}`,
    `${style.bold('Steps')}\n${stepsText(result, style)}`,
  ]
  if (restore !== undefined && restore.undone.length + restore.blocked.length > 0) {
    const blocked = restore.blocked.map((one) => findingLine(one, style))
    parts.push(
      [style.bold('What the restore means'), list(restore.undone), ...blocked].filter(Boolean).join('\n'),
    )
  }
  parts.push(`${style.bold('Secrets to count as known')}\n${secretsText(secrets)}`)
  if (identities.length > 0) parts.push(`${style.bold('To be enrolled again')}\n${identityTable(identities)}`)
  parts.push(auditText(result, style), `${style.bold('Mind')}\n${list(warnings)}`)
  return parts.join('\n\n')
}

function stepsText({ steps, rotated, deactivated, restore }: RecoverResult, style: View['style']): string {
  const words = { done: style.good('done  '), failed: style.bad('failed'), left: style.attention('left  ') }
  const lines = steps.map(({ step, state, detail, error }) => {
    const why = detail ?? error?.message
    return `  ${words[state]}  ${printable(step)}${why === undefined ? '' : `: ${printable(why)}`}`
  })
  if (rotated.length > 0) lines.push(`  new values: ${rotated.join(', ')}`)
  if (deactivated.length > 0) lines.push(`  taken out of service: ${printable(deactivated.join(', '))}`)
  for (const path of restore?.set_aside ?? []) lines.push(`  evidence, to be kept: ${printable(path)}`)
  return lines.join('\n')
}

function secretsText(secrets: RecoverResult['secrets']): string {
  return secrets
    .map(({ name, place, count, rotate, how }) => {
      const many = count === undefined || count === 1 ? '' : ` (${count})`
      return `  ${how.padEnd(6)}  ${printable(name)}${many}, in ${place}\n          ${printable(rotate)}`
    })
    .join('\n')
}

function auditText({ audit }: RecoverResult, style: View['style']): string {
  const title = style.bold('Audit of the compromised state')
  if (audit === undefined) return `${title}\n  there was no state to look at`
  const { from, to, rows, activity, activity_left_out, findings, heads_compared } = audit
  const lines = activity.map(({ agent, action, status, count, first, last }) => [
    `  ${count}`,
    printable(agent),
    printable(action),
    printable(status),
    printable(`${first} to ${last}`),
  ])
  const more = activity_left_out === 0 ? [] : [`  and ${several(activity_left_out, 'line')} more`]
  const found = findings.map((one) => findingLine(one, style))
  return [
    title,
    `  ${several(rows, 'row')} from ${moment(from)} to ${moment(to)}; heads of ${several(heads_compared, 'backup')} compared`,
    ...(lines.length === 0 ? [] : [table([{ align: 'right' }, { shrink: true }, {}, {}, {}], lines)]),
    ...more,
    ...(found.length === 0 ? ['  no break, no gap, no lost head'] : found),
  ].join('\n')
}
