import type { Command } from 'commander'

/** What completion needs of one command. */
export interface Completable {
  /** `backup`, `config check`; empty for the program itself. */
  readonly path: readonly string[]
  readonly summary: string
  readonly options: readonly {
    readonly flags: readonly string[]
    readonly value: boolean
    readonly summary: string
  }[]
  /** Fixed words that its first argument may be. */
  readonly choices: readonly string[]
}

/** The commands of a program, itself first, each with its own options and `--help`. */
export function describe(program: Command): readonly Completable[] {
  return visit(program, [])
}

function visit(command: Command, path: readonly string[]): Completable[] {
  const help = command.createHelp()
  const options = help.visibleOptions(command).map((option) => ({
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    value: option.required || option.optional,
    summary: option.description,
  }))
  const own = {
    path,
    summary: command.summary(),
    options,
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [own, ...command.commands.flatMap((child) => visit(child, [...path, child.name()]))]
}

/** The names of the commands right under a path. */
export function childrenOf(tree: readonly Completable[], path: readonly string[]): readonly Completable[] {
  return tree.filter(
    (each) => each.path.length === path.length + 1 && path.every((word, at) => each.path[at] === word),
  )
}
