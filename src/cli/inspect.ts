import type { Command } from 'commander'
import type { InspectResult } from '../engine/inspect.ts'
import { archiveArgument } from './opening.ts'
import { withConfigIfAny, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { size } from './quantity.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'
import { headerFields } from './slot-text.ts'
import { fields } from './table.ts'

export function addInspect(program: Command, session: Session): void {
  const command = program.command('inspect').summary('show the header of an archive; needs no key')
  command
    .description(
      'Shows what an archive says in the clear: its id, when it was sealed, and the slots that open it. Without a key none of this is proven to be unchanged.',
    )
    .argument(...archiveArgument)
  withOutput(withConfigIfAny(command))
  withExample(command, 'sealift inspect latest', 'sealift inspect - < notes-20261122T120000Z.sealift')
  command.action((archive: string, options: CommonOptions) =>
    session.perform(options, face, async (job) => {
      const configured = await job.configuredIfAny()
      const ctx = await job.context(configured)
      const { inspect } = await import('../engine/inspect.ts')
      return inspect(ctx, { archive, ...(configured && { application: configured.application }) })
    }),
  )
}

const face: Face<InspectResult> = {
  verb: 'inspect',
  text: ({ name, size: bytes, header, foreign }) =>
    fields([
      ['archive', printable(name)],
      ['size', size(bytes)],
      ...(header === undefined ? [] : headerFields(header)),
      ...(foreign === undefined ? [] : foreignFields(foreign)),
    ]),
  stdout: 'product',
}

/** A line for each thing that the format tells, with the names and numbers that it has there. */
function foreignFields({ format, facts }: NonNullable<InspectResult['foreign']>): [string, string][] {
  const said = Object.entries(facts).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((one): [string, string] => [name.replace(/s$/, ''), words(one)])
      : [[name, words(value)] as [string, string]],
  )
  return [['format', format], ...said]
}

function words(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name} ${String(one)}`)
    .join(', ')
}
