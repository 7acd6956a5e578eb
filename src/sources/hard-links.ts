import type { BigIntStats } from 'node:fs'

/**
 * Which files of a walk are further names of an earlier one. Only files with more than one name are remembered, and
 * only until all names were met. The birth time is part of the identity, because the number of a removed file is
 * given to a new one.
 */
export class HardLinks {
  readonly #first = new Map<string, { readonly path: string; left: bigint }>()

  /** The path of the earlier file that this one is a further name of. */
  earlier(stat: BigIntStats): string | undefined {
    if (stat.nlink < 2n) return undefined
    const key = identity(stat)
    const first = this.#first.get(key)
    if (first === undefined) return undefined
    first.left -= 1n
    if (first.left === 0n) this.#first.delete(key)
    return first.path
  }

  add(stat: BigIntStats, path: string): void {
    if (stat.nlink > 1n) this.#first.set(identity(stat), { path, left: stat.nlink - 1n })
  }
}

function identity(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`
}
