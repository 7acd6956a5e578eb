import type { Command } from 'commander'
import type { VerifyResult } from '../engine/report.ts'
import type { VerifyTargetsResult } from '../engine/verify-targets.ts'
import { SealiftError } from '../errors.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { duration, minute, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields, table } from './table.ts'

type Options = CommonOptions &
  OpenOptions &
  ChoiceOptions & { readonly source?: boolean; readonly allTargets?: boolean }

export function addVerify(program: Command, session: Session): void {
  const command = program.command('verify').summary('read an archive back whole, checking each part')
  command
    .description(
      'Reads every tag, checksum and index entry of an archive back. With --source it also compares a sample of members with what is live now, and ends with 1 where they differ. With --all-targets it reads the newest archive of every target.',
    )
    .argument('[archive]', archiveArgument[1], 'latest')
    .option('--source', 'compare a sample with the live sources')
    .option('--all-targets', 'read it back at every target, each by itself')
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(command, 'sealift verify', 'sealift verify --all-targets', 'sealift verify latest --source')
  command.action((archive: string, options: Options) =>
    options.allTargets === true
      ? session.perform(options, targetsFace, async (job) => {
          if (options.source === true || options.from !== undefined) {
            const reason = '--all-targets reads the targets: leave --source and --from out'
            throw new SealiftError('USAGE', { reason })
          }
          const configured = await job.configured()
          const ctx = await job.context(configured)
          const { verifyTargets } = await import('../engine/verify-targets.ts')
          const given = opening(job, archive, options, configured)
          return verifyTargets(ctx, { ...given, application: configured.application })
        })
      : session.perform(options, face, async (job) => {
          const configured = options.source === true ? await job.configured() : await job.configuredIfAny()
          const ctx = await job.context(configured)
          const { verify } = await import('../engine/verify.ts')
          const given = opening(job, archive, options, configured)
          return verify(ctx, { ...given, source: options.source === true })
        }),
  )
}

const targetsFace: Face<VerifyTargetsResult> = {
  verb: 'verify',
  text: targetsText,
  attention: ({ targets }) => targets.some(({ ok }) => !ok),
}

function targetsText({ targets }: VerifyTargetsResult, { report, style }: View): string {
  const rows = targets.map(({ target, verified, error }) =>
    verified === undefined
      ? [style.bad('failed'), printable(target), printable(error?.message ?? '')]
      : [style.good('verified'), printable(target), printable(verified.archive.name)],
  )
  return `${table([{}, {}, { shrink: true }], rows)}\n${fields([['took', duration(report.seconds)]])}`
}

const face: Face<VerifyResult> = {
  verb: 'verify',
  text: verifyText,
  attention: ({ live }) => live?.some(({ state }) => state !== 'same') ?? false,
}

function verifyText(result: VerifyResult, { report, style }: View): string {
  const { archive, members, payload_bytes, live } = result
  const proven = report.ok
    ? `${style.good('verified:')} every tag, checksum and index entry was read back\n`
    : ''
  const parts = [
    proven +
      fields([
        ['archive', printable(archive.name)],
        ['id', archive.id.slice(0, 8)],
        ['taken', minute(archive.created_at)],
        ['holds', `${size(payload_bytes)} in ${several(members, 'member')}`],
        ['took', duration(report.seconds)],
      ]),
  ]
  if (live !== undefined) parts.push(liveText(live, style))
  return parts.join('\n\n')
}

function liveText(live: NonNullable<VerifyResult['live']>, style: View['style']): string {
  const differing = live.filter(({ state }) => state !== 'same')
  const head = `compared with what is live: ${several(live.length, 'member')}, ${live.length - differing.length} the same`
  const lines = differing.map(({ path, state, detail }) => {
    const name = printable(path)
    return `  ${style.attention(state.padEnd(7))}  ${name}${detail === undefined ? '' : ` (${printable(detail)})`}`
  })
  return [head, ...lines].join('\n')
}
