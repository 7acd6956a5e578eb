import type { Completable } from './completion-tree.ts'

/** For fish 3 and later. */
export function fish(tree: readonly Completable[]): string {
  const names = tree.filter(({ path }) => path.length === 1).map(({ path }) => path[0])
  const lines = tree.flatMap((own) => {
    const { path, summary, options, choices } = own
    const inside = condition(path, names)
    return [
      ...(path.length === 0
        ? []
        : [
            `complete -c sealift -f -n ${quoted(condition(path.slice(0, -1), names))} -a ${path.at(-1) ?? ''} -d ${quoted(summary)}`,
          ]),
      ...choices.map((choice) => `complete -c sealift -f -n ${quoted(inside)} -a ${choice}`),
      ...options.map(({ flags, value, summary }) =>
        [
          `complete -c sealift -n ${quoted(inside)}`,
          ...flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)),
          ...(value ? ['-r -F'] : []),
          `-d ${quoted(summary)}`,
        ].join(' '),
      ),
    ]
  })
  return `# fish completion for sealift\n${lines.join('\n')}\n`
}

function condition(path: readonly string[], names: readonly (string | undefined)[]): string {
  if (path.length === 0) return `not __fish_seen_subcommand_from ${names.join(' ')}`
  return path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
