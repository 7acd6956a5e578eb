import { hash } from 'node:crypto'
import type { MemberType } from '../member.ts'

const WORDS = 4
const KINDS = ['none', 'implied', 'directory', 'file', 'symlink', 'hardlink'] as const
type Kind = (typeof KINDS)[number]

/**
 * Which paths an archive has had so far, and of what kind: what the rules of archive-v1 §5 need. 16 bytes per path in
 * an open-addressed table, 125 bits of its SHA-256 and 3 bits of kind, so that a million members take 32 MiB at most.
 */
export class MemberSet {
  #table = new Uint32Array(1024 * WORDS)
  #count = 0
  readonly #key = new Uint32Array(WORDS)

  /**
   * Adds a member; says why it is refused, if it is: a path that appears twice, one that passes through a member that
   * is no folder or that others lie under, a hard link to what is not an earlier file [P-2, P-3, P-4].
   */
  add(path: string, type: MemberType, link: string | undefined): string | undefined {
    const before = this.#kindOf(path)
    if (before !== 'none' && before !== 'implied') return 'its name appears twice'
    if (before === 'implied' && type !== 'directory') return `it is a ${type}, and other members lie under it`
    if (type === 'hardlink') {
      const target = this.#kindOf(link ?? '')
      if (target !== 'file')
        return `it is a hard link to ${JSON.stringify(link)}, which is not an earlier file`
    }
    const refusal = this.#checkParents(path)
    if (refusal === undefined) this.#put(path, type)
    return refusal
  }

  /** The folders above a path that has no member of its own are noted, so that no link can take their place later. */
  #checkParents(path: string): string | undefined {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      const kind = this.#kindOf(parent)
      if (kind === 'directory' || kind === 'implied') return undefined
      if (kind !== 'none') return `it passes through the ${kind} ${JSON.stringify(parent)}`
      this.#put(parent, 'implied')
    }
    return undefined
  }

  #kindOf(path: string): Kind {
    const at = this.#find(path)
    return KINDS[(this.#table[at + WORDS - 1] ?? 0) & 7] ?? 'none'
  }

  #put(path: string, kind: Kind): void {
    const at = this.#find(path)
    const fresh = (this.#table[at + WORDS - 1] ?? 0) === 0
    this.#key[WORDS - 1] = ((this.#key[WORDS - 1] ?? 0) & ~7) | KINDS.indexOf(kind)
    this.#table.set(this.#key, at)
    if (fresh && ++this.#count * WORDS * 2 > this.#table.length) this.#grow()
  }

  /** Where the path stands, or would; leaves its key in `#key`. */
  #find(path: string): number {
    const digest = hash('sha256', path, 'buffer')
    for (let word = 0; word < WORDS; word++) this.#key[word] = digest.readUInt32LE(word * 4)
    return this.#probe(this.#table, this.#key)
  }

  #probe(table: Uint32Array, key: Uint32Array): number {
    const mask = table.length - 1
    for (let at = ((key[0] ?? 0) * WORDS) & mask; ; at = (at + WORDS) & mask) {
      const last = table[at + 3] ?? 0
      if (last === 0) return at
      const same = table[at] === key[0] && table[at + 1] === key[1] && table[at + 2] === key[2]
      if (same && (last ^ (key[3] ?? 0)) >>> 3 === 0) return at
    }
  }

  #grow(): void {
    const old = this.#table
    const table = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += WORDS) {
      const key = old.subarray(at, at + WORDS)
      if (key[WORDS - 1] !== 0) table.set(key, this.#probe(table, key))
    }
    this.#table = table
  }
}
