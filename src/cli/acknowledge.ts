import type { Command } from 'commander'
import type { AcknowledgeResult } from '../engine/report.ts'
import { findingLine } from './finding-line.ts'
import { identityTable } from './identity-table.ts'
import { withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'

type Options = CommonOptions & { readonly reason: string }

export function addAcknowledge(program: Command, session: Session): void {
  const command = program.command('acknowledge').summary('say that a changed CA is known')
  command
    .description(
      'Records that a change which every backup points out was meant: a rotated CA. The value must be the one that the application has now. Says what the change left to do.',
    )
    .argument('<value>', 'the fingerprint (SHA-256) that the application has now')
    .requiredOption('--reason <text>', 'why it changed, for the record')
  withOutput(withConfig(command))
  withExample(command, 'sealift acknowledge 9A:C1:… --reason "yearly rotation"')
  command.action((value: string, options: Options) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configured()
      const ctx = await job.context(configured)
      const { acknowledge } = await import('../engine/acknowledge.ts')
      return acknowledge(ctx, { application: configured.application, value, reason: options.reason })
    }),
  )
}

const face: Face<AcknowledgeResult> = {
  verb: 'acknowledge',
  attention: ({ findings }) => findings.some(({ class: weight }) => weight !== 'note'),
  text({ value, findings, identities, next }, { style }) {
    const parts = [`${style.bold('Acknowledged.')}\n  ${value}`]
    if (findings.length > 0) parts.push(findings.map((one) => findingLine(one, style)).join('\n'))
    if (identities.length > 0) parts.push(`To be enrolled again\n${identityTable(identities)}`)
    parts.push(`What is left to do\n${next.map((line) => `  ${printable(line)}`).join('\n')}`)
    return parts.join('\n\n')
  },
}
