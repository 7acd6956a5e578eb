export type Environment = Readonly<Record<string, string | undefined>>

/** What became of a value with references: its text, or why it has none. */
export type Expansion =
  { readonly text: string } | { readonly unset: string } | { readonly malformed: string }

const reference = /\$(?:\$|\{(?<inside>[^}]*)(?<end>\}?))/g
const inside = /^(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<fallback>.*))?$/s

/**
 * Replaces `${NAME}` and `${NAME:-default}` in a string value; `$$` is one `$`, any other `$` stands for itself. The
 * default is taken when the variable is unset or empty, as in a POSIX shell; it runs to the next `}`. What a variable
 * holds is not expanded again.
 */
export function expand(value: string, env: Environment): Expansion {
  let failure: Expansion | undefined
  const text = value.replace(reference, (match, ...rest) => {
    if (match === '$$') return '$'
    const groups = rest.at(-1) as { inside: string; end: string }
    const parts = inside.exec(groups.inside)?.groups
    if (groups.end === '' || parts?.['name'] === undefined) {
      failure ??= { malformed: match }
      return ''
    }
    const { name, fallback } = parts
    const found = Object.hasOwn(env, name) ? env[name] : undefined
    if (found !== undefined && (found !== '' || fallback === undefined)) return found
    if (fallback !== undefined) return fallback
    failure ??= { unset: name }
    return ''
  })
  return failure ?? { text }
}
