import { relative, sep } from 'node:path'

/** How the `files` source reads patterns; handed in, so that both judge a path by the same rules. */
export type GlobReader = (patterns: readonly string[]) => { matches(path: string, folder: boolean): boolean }

/** What a `files` source takes in, as far as its configuration says. */
export interface Tree {
  readonly path: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/**
 * Whether a backup of `tree` would read what lies at `path` (with `folder`: an archive in it). Paths are compared as
 * written; `doctor` looks for archives that a symlink leads there.
 */
export function covers(tree: Tree, path: string, folder: boolean, globs: GlobReader): boolean {
  const inside = relativeInside(tree.path, path)
  if (inside === undefined) return false
  const parts = inside === '' ? [] : inside.split(sep)
  if (folder) parts.push('notes-20300101T000000Z.sealift')
  // An excluded folder is not entered, and all that is in an included one is.
  const named = (patterns: readonly string[]): boolean => {
    const found = globs(patterns)
    return parts.some((_, index) =>
      found.matches(parts.slice(0, index + 1).join('/'), index < parts.length - 1),
    )
  }
  if (named(tree.exclude)) return false
  return tree.include.length === 0 || named(tree.include)
}

/** The path of `inner` relative to `outer`, `''` when they are the same, `undefined` when it lies elsewhere. */
export function relativeInside(outer: string, inner: string): string | undefined {
  const between = relative(outer, inner)
  return between === '..' || between.startsWith(`..${sep}`) ? undefined : between
}
