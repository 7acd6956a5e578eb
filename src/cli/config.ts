import type { Command } from 'commander'
import { withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import type { Face } from './renderer.ts'
import type { Session } from './session.ts'
import { fields } from './table.ts'

/** What `config check` says of a configuration without a mistake. */
interface CheckResult {
  readonly path: string
  readonly app: string
  readonly profile: string
  readonly sources: readonly Plug[]
  readonly targets: readonly Plug[]
  /** `passphrase`, `recipient`, one for each way; empty where a backup has to be given one. */
  readonly slots: readonly ('passphrase' | 'recipient')[]
}

interface Plug {
  readonly name: string
  readonly kind: string
  readonly place: string
}

export function addConfig(program: Command, session: Session): void {
  const config = program.command('config').summary('check the configuration, print its schema')
  config.description('Checks sealift.yaml, or prints the JSON Schema that editors complete it from.')
  withExample(config, 'sealift config check')
  addCheck(config, session)
  addSchema(config, session)
}

function addCheck(config: Command, session: Session): void {
  const command = config.command('check').summary('find every mistake in the configuration')
  command.description(
    'Reads the configuration and shows every mistake with its line and its fix. It touches no data.',
  )
  withOutput(withConfig(command))
  withExample(command, 'sealift config check --config /etc/sealift/notes.yaml')
  command.action((options: CommonOptions) =>
    session.perform(options, checkFace, async (job) => {
      const { path, application, seal } = await job.configured()
      const ctx = await job.context()
      const { runVerb } = await import('../engine/run.ts')
      const { app, profile, sources, targets } = application
      return runVerb(ctx, 'config check', async () => ({
        path,
        app,
        profile: profile.name,
        sources: sources.map(({ name, kind, place }) => ({ name, kind, place: place.path })),
        targets: targets.map(({ name, kind, location }) => ({ name, kind, place: location })),
        slots: [
          ...(seal.passphraseFile === undefined ? [] : ['passphrase' as const]),
          ...seal.recipients.map(() => 'recipient' as const),
        ],
      }))
    }),
  )
}

const checkFace: Face<CheckResult> = {
  verb: 'config check',
  text({ path, app, profile, sources, targets, slots }, { style }) {
    const plug =
      (noun: string) =>
      (each: Plug): [string, string] => [noun, `${each.name} (${each.kind}) ${printable(each.place)}`]
    const sealed = slots.length === 0 ? 'as the command line or the terminal says' : slots.join(', ')
    return `${style.good('No mistakes')} in ${printable(path)}\n${fields([
      ['application', `${app} (profile ${profile})`],
      ...sources.map(plug('source')),
      ...targets.map(plug('target')),
      ['sealed with', sealed],
    ])}`
  },
}

function addSchema(config: Command, session: Session): void {
  const command = config.command('schema').summary('print the JSON Schema of sealift.yaml')
  command.description(
    'Prints the JSON Schema of sealift.yaml: what an editor needs to complete and to check it.',
  )
  withOutput(command)
  withExample(command, 'sealift config schema > sealift.schema.json')
  command.action((options: CommonOptions) =>
    session.perform(options, schemaFace, async (job) => {
      const ctx = await job.context()
      const { runVerb } = await import('../engine/run.ts')
      return runVerb(ctx, 'config schema', () => job.world.configSchema())
    }),
  )
}

const schemaFace: Face<Record<string, unknown>> = {
  verb: 'config schema',
  text: (schema) => JSON.stringify(schema, undefined, 2),
  stdout: 'product',
}
