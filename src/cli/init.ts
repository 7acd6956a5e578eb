import type { Command } from 'commander'
import type { InitResult } from '../engine/init.ts'
import { withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { several } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { fields, table } from './table.ts'

type Options = CommonOptions & {
  readonly output: string
  readonly app?: string
  readonly profile?: string
  readonly force?: boolean
}

export function addInit(program: Command, session: Session): void {
  const command = program.command('init').summary('look around and write a sealift.yaml')
  command
    .description(
      'Looks around in the folder of an application for databases, certificates, env files and compose files, and writes a commented configuration for what it finds. It opens no database.',
    )
    .argument('[folder]', 'the folder of the application', '.')
    .option('-o, --output <file>', 'where to write the configuration', './sealift.yaml')
    .option('--app <name>', 'name of the application (default: from the folder)')
    .option('--profile <name>', 'what knows the application (default: the one that recognises it)')
    .option('--force', 'replace a configuration that is there')
  withOutput(command)
  withExample(command, 'sealift init /srv/notes', 'sealift init /srv/notes -o /etc/sealift/sealift.yaml')
  command.action((folder: string, options: Options) =>
    session.perform(options, face, async (job) => {
      const ctx = await job.context()
      const { init } = await import('../engine/init.ts')
      const { output, app, profile, force } = options
      return init(ctx, {
        folder,
        output,
        force: force === true,
        ...(app === undefined ? {} : { app }),
        ...(profile === undefined ? {} : { profile }),
      })
    }),
  )
}

const face: Face<InitResult> = { verb: 'init', text: initText }

function initText(result: InitResult, { style }: View): string {
  const { path, app, sources, left_out, target, passphrase_file, entries } = result
  const rows = sources.map((source) => [`  ${source.name}`, source.kind, printable(source.path)])
  const parts = [
    `${style.bold(`Wrote ${printable(path)}`)}${result.profile === 'generic' ? ` after a look at ${several(entries, 'entry', 'entries')}` : ''}.`,
    `Sources\n${table([{}, {}, {}], rows)}`,
  ]
  if (left_out.length > 0) {
    const lines = left_out.map((left) => `  ${printable(left.path)}\n    ${printable(left.reason)}`)
    parts.push(`Left out\n${lines.join('\n')}`)
  }
  parts.push(
    fields([
      ['application', result.profile === 'generic' ? app : `${app} (${result.profile})`],
      ['archives', printable(target)],
      ['passphrase', `${printable(passphrase_file)} (yours to make: the file says how)`],
    ]),
    'Next: read the file, make the passphrase, then `sealift doctor`.',
  )
  return parts.join('\n\n')
}
