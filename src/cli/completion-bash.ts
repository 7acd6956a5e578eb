import { childrenOf } from './completion-tree.ts'
import type { Completable } from './completion-tree.ts'

/** For bash 4 and later; file names where a word is no option. */
export function bash(tree: readonly Completable[]): string {
  const values = new Set(
    tree.flatMap(({ options }) => options.filter((o) => o.value).flatMap((o) => o.flags)),
  )
  const cases = tree.map(({ path, options, choices }) => {
    const words = [...childrenOf(tree, path).map((child) => child.path.at(-1)), ...choices]
    return `    '${path.join(' ')}') words='${words.join(' ')}' flags='${options.flatMap((o) => o.flags).join(' ')}' ;;`
  })
  return `# bash completion for sealift
_sealift() {
  local cur=\${COMP_WORDS[COMP_CWORD]} previous='' path='' word words flags at
  (( COMP_CWORD > 0 )) && previous=\${COMP_WORDS[COMP_CWORD-1]}
  case $previous in
    ${[...values].join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  for (( at = 1; at < COMP_CWORD; at++ )); do
    word=\${COMP_WORDS[at]}
    case "\${path:+$path }$word" in
      ${tree
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => `'${path.join(' ')}'`)
        .join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case $path in
${cases.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _sealift sealift
`
}
