import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'

/** What every command takes. `config` is false with `--no-config`. */
export interface CommonOptions {
  readonly config?: string | false
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `--json` and `--quiet`. */
export function withOutput(command: Command): Command {
  return command
    .option('--json', 'print events and the report as lines of JSON')
    .option('-q, --quiet', 'print no progress and no notes')
}

/** `--config`, for a verb that needs one. */
export function withConfig(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    'configuration (default: $SEALIFT_CONFIG, ./sealift.yaml, /etc/sealift/sealift.yaml)',
  )
}

/** `--config` and `--no-config`, for a verb that can do without. */
export function withConfigIfAny(command: Command): Command {
  return withConfig(command).option('--no-config', 'use no configuration, also if there is one')
}

/** The ways to name what opens an archive. */
export function withOpening(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'read a passphrase from this file (repeatable)', collect)
    .option('--passphrase-fd <number>', 'read a passphrase from this open file descriptor', wholeNumber)
    .option('--key-file <file>', 'open with the secret key in this file (repeatable)', collect)
}

/** The ways to name what an archive is sealed with. */
export function withSealing(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'seal with the passphrase in this file (repeatable)', collect)
    .option(
      '--passphrase-fd <number>',
      'seal with the passphrase from this open file descriptor',
      wholeNumber,
    )
    .option('--recipient <key>', 'seal for this public key, or the one in this file (repeatable)', collect)
}

/** The example that `--help` shows. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  const noun = lines.length === 1 ? 'Example' : 'Examples'
  return command.addHelpText('after', `\n${noun}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`)
}

export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

export function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(value)
}

export function wholeNumbers(value: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), wholeNumber(value)]
}
