import type { Facts } from '../manifest.ts'
import type { SourceMember } from './source.ts'

/** What a `files` source says of itself: a further name of a file counts as a file without bytes. */
export class Tally {
  #files = 0
  #folders = 0
  #symlinks = 0
  #bytes = 0

  count(member: Pick<SourceMember, 'type' | 'size'>): void {
    if (member.type === 'directory') this.#folders += 1
    else if (member.type === 'symlink') this.#symlinks += 1
    else this.#files += 1
    this.#bytes += member.size ?? 0
  }

  facts(): Facts {
    return {
      files: this.#files,
      folders: this.#folders,
      symlinks: this.#symlinks,
      bytes: this.#bytes,
    }
  }
}
