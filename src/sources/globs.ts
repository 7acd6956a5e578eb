import picomatch from 'picomatch'

/**
 * Which paths a list of patterns names. Paths are relative to the root of the source. A pattern without `/` is about
 * the last part of a path, at any depth; one with a `/` (also a leading one) about the whole path. A trailing `/`
 * makes it about folders only. Patterns are those of picomatch, dot files included; `!` has no special meaning at the
 * beginning. A name that is not valid UTF-8 is matched with U+FFFD in the place of each invalid byte.
 */
export interface Globs {
  readonly empty: boolean
  matches(path: string, folder: boolean): boolean
}

export function globs(patterns: readonly string[]): Globs {
  const rules = patterns.map(rule)
  return {
    empty: rules.length === 0,
    matches: (path, folder) => rules.some((matches) => matches(path, folder)),
  }
}

function rule(pattern: string): (path: string, folder: boolean) => boolean {
  const foldersOnly = pattern.endsWith('/')
  const body = foldersOnly ? pattern.slice(0, -1) : pattern
  // Strict slashes: `cache/**` is what is in cache, not cache itself.
  const matches = picomatch(body.replace(/^\/+/, ''), { dot: true, nonegate: true, strictSlashes: true })
  const wholePath = body.includes('/')
  return (path, folder) => {
    if (foldersOnly && !folder) return false
    return matches(wholePath ? path : path.slice(path.lastIndexOf('/') + 1))
  }
}
