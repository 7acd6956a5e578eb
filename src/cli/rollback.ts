import type { Command } from 'commander'
import type { RollbackResult } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { findingLine } from './finding-line.ts'
import { collect, withConfig, withExample, withOutput } from './options.ts'
import type { CommonOptions } from './options.ts'
import { printable } from './printable.ts'
import { minute } from './quantity.ts'
import type { Face, View } from './renderer.ts'
import type { Session } from './session.ts'
import { table } from './table.ts'

type Options = CommonOptions & {
  readonly list?: boolean
  readonly accept?: readonly string[]
  readonly restart?: boolean
}

export function addRollback(program: Command, session: Session): void {
  const command = program.command('rollback').summary('go back to a folder that its own scripts left')
  command
    .description(
      'Lists the plain folders that the application’s own scripts leave before a change, or goes back to one. It is looked at as a copy and brought back by all rules of a restore; a torn one is refused. These folders lie on the same disk: they are no substitute for a backup elsewhere.',
    )
    .argument('[id]', 'the name of the folder')
    .option('-l, --list', 'list them, and change nothing')
    .option('--accept <check>', 'go back in spite of this finding (repeatable)', collect)
    .option('--restart', 'stop the application first, and start it afterwards')
  withOutput(withConfig(command))
  withExample(command, 'sealift rollback --list', 'sealift rollback pre-upgrade-0.4.5-20260514T103025Z')
  command.action((id: string | undefined, options: Options) =>
    session.perform(options, face, async (job) => {
      if ((id === undefined) !== (options.list === true))
        throw new SealiftError('USAGE', { reason: 'give either the name of a folder, or --list' })
      const configured = await job.configured()
      const ctx = await job.context(configured)
      const { rollback } = await import('../engine/rollback.ts')
      return rollback(ctx, {
        application: configured.application,
        ...(id === undefined ? {} : { id }),
        accept: options.accept ?? [],
        restart: options.restart === true,
        quietOutput: options.json === true,
        openFolder: (path) => job.world.openFolder(path),
      })
    }),
  )
}

const face: Face<RollbackResult> = {
  verb: 'rollback',
  text: rollbackText,
  stdout: 'product',
  attention: ({ restore }) =>
    restore !== undefined &&
    (restore.blocked.length > 0 || restore.checks.some(({ verdict }) => verdict !== 'ok')),
}

function rollbackText({ backups, note, chosen, restore, started }: RollbackResult, { style }: View): string {
  if (chosen === undefined || restore === undefined) {
    const rows = backups.map(({ id, what, taken_at, sources }) => [
      printable(id),
      taken_at === null ? '' : minute(taken_at),
      printable(what),
      sources.join(', '),
    ])
    const list =
      rows.length === 0 ? 'There is none.' : table([{ shrink: true }, {}, {}, { shrink: true }], rows)
    return `${list}\n\n${note}`
  }
  const lines = [
    `from ${printable(chosen.path)}`,
    ...restore.set_aside.map((path) => `the state before lies in ${printable(path)}`),
    ...restore.undone.map((one) => `undone: ${printable(one)}`),
    started === true ? 'the application was started' : 'the application was not started by Sealift',
  ]
  const findings = restore.blocked.map((one) => findingLine(one, style))
  return [
    style.bold('Rolled back.'),
    ...lines.map((line) => `  ${line}`),
    ...(findings.length === 0 ? [] : ['Not ready to start', ...findings]),
    `  ${note}`,
  ].join('\n')
}
