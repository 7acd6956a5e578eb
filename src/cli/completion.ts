import { Argument } from 'commander'
import type { Command } from 'commander'
import { bash } from './completion-bash.ts'
import { fish } from './completion-fish.ts'
import { zsh } from './completion-zsh.ts'
import { describe } from './completion-tree.ts'
import { withExample } from './options.ts'
import type { Session } from './session.ts'

const shells = { bash, zsh, fish }

export function addCompletion(program: Command, session: Session): void {
  const command = program.command('completion').summary('print a completion script for a shell')
  command
    .description('Prints a script that completes commands and options of this version in a shell.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
  withExample(
    command,
    'source <(sealift completion bash)',
    'sealift completion fish > ~/.config/fish/completions/sealift.fish',
  )
  command.action((shell: keyof typeof shells) => session.out.print(shells[shell](describe(program))))
}
