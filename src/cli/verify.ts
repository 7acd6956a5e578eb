import type { Command } from 'commander'
import type { VerifyResult } from '../engine/report.ts'
import type { OpenOptions } from './keys.ts'
import { archiveArgument, opening, withChoice } from './opening.ts'
import type { ChoiceOptions } from './opening.ts'
import { withConfigIfAny, withExample, withOpening, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { duration, minute, several, size } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

type Options = CommonOptions & OpenOptions & ChoiceOptions & { readonly source?: boolean }

export function addVerify(program: Command, session: Session): void {
  const command = program.command('verify').summary('read an archive back whole, checking each part')
  command
    .description(
      'Reads every tag, checksum and index entry of an archive back. With --source it also compares a sample of members with what is live now, and ends with 1 where they differ.',
    )
    .argument(...archiveArgument)
    .option('--source', 'compare a sample with the live sources')
  withOutput(withConfigIfAny(withChoice(withOpening(command))))
  withExample(command, 'sealift verify latest', 'sealift verify latest --source')
  command.action((archive: string, options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = options.source === true ? await job.configured() : await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { verify } = await import('../engine/verify.ts')
      return verify(ctx, { ...opening(job, archive, options, configured), source: options.source === true })
    }),
  )
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
