import { childrenOf } from './completion-tree.ts'
import type { Completable } from './completion-tree.ts'

/** For zsh: `_arguments` does the work, one function per command. */
export function zsh(tree: readonly Completable[]): string {
  const functions = tree.map((each) => commandFunction(tree, each)).join('\n')
  return `#compdef sealift
# zsh completion for sealift
${functions}
compdef _sealift sealift
`
}

function commandFunction(tree: readonly Completable[], own: Completable): string {
  const children = childrenOf(tree, own.path)
  const options = own.options.map((option) => `    ${optionSpec(option)} \\`)
  if (children.length === 0) {
    const rest = own.choices.length > 0 ? `'1:word:(${own.choices.join(' ')})'` : `'*:file:_files'`
    return `${name(own)}() {\n  _arguments -s \\\n${options.join('\n')}\n    ${rest}\n}`
  }
  const listed = children.map((child) => `      ${quoted(`${last(child)}:${child.summary}`)}`)
  const cases = children.map((child) => `        ${last(child)}) ${name(child)} ;;`)
  return `${name(own)}() {
  local context state line
  _arguments -C -s \\
${options.join('\n')}
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
${listed.join('\n')}
      )
      _describe command commands ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
}`
}

function optionSpec({ flags, value, summary }: Completable['options'][number]): string {
  const text = `[${summary.replace(/[[\]\\:]/g, '\\$&')}]`
  const argument = value ? ':value:_files' : ''
  return flags.map((flag) => quoted(`*${flag}${text}${argument}`)).join(' ')
}

function name({ path }: Completable): string {
  return ['_sealift', ...path].join('_')
}

function last({ path }: Completable): string {
  return path.at(-1) ?? ''
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
