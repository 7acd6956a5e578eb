import { chmod, chown, link, lchown, lutimes, mkdir, symlink, utimes } from 'node:fs/promises'
import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { MemberType } from '../member.ts'
import { syncFolder } from './journal.ts'
import type { FileAttributes } from './staged-files.ts'
import { StagedFiles } from './staged-files.ts'

/** A member about to be written, with its place in the staged tree. Without an owner it belongs to who restores. */
export interface StagedMember extends FileAttributes {
  readonly path: string
  readonly type: MemberType
  readonly link?: string
  readonly size: number
}

/**
 * Writes members into private folders made by this run. Folders stay closed to others until `finish()`, files get
 * their owner and mode before they are closed, symlinks come last: no write can go through one.
 */
export class StagedTree {
  readonly #folders = new Map<string, StagedMember>()
  readonly #symlinks: { readonly at: string; readonly member: StagedMember }[] = []
  readonly #made = new Set<string>()
  readonly #files = new StagedFiles()

  /** Bytes of content so far. */
  get bytes(): number {
    return this.#files.bytes
  }

  /** A block of `content` must stay as it is once it was given. A file that fails may be told by a later call. */
  async put(at: string, member: StagedMember, content?: AsyncIterable<Uint8Array>): Promise<void> {
    if (member.type === 'directory') {
      await this.#folder(at)
      this.#folders.set(at, member)
      return
    }
    await this.#folder(path.dirname(at))
    if (member.type === 'symlink') this.#symlinks.push({ at, member })
    else await this.#files.write(at, member, content)
  }

  /** A second name for a file that was put before. */
  async putLink(at: string, original: string): Promise<void> {
    await this.#files.settle()
    await this.#folder(path.dirname(at))
    await link(original, at)
  }

  /** Symlinks, then the folders' own modes and times from the innermost outwards, then everything durable. */
  async finish(): Promise<void> {
    await this.#files.finish()
    for (const { at, member } of this.#symlinks) {
      await symlink(member.link ?? '', at)
      if (member.owner !== undefined) await lchown(at, member.owner.uid, member.owner.gid)
      await lutimes(at, member.mtimeMs / 1000, member.mtimeMs / 1000)
    }
    for (const at of [...this.#made].toSorted((a, b) => b.length - a.length)) {
      await syncFolder(at)
      const member = this.#folders.get(at)
      if (member === undefined) continue
      if (member.owner !== undefined) await chown(at, member.owner.uid, member.owner.gid)
      await chmod(at, member.mode)
      await utimes(at, member.mtimeMs / 1000, member.mtimeMs / 1000)
    }
  }

  async #folder(at: string): Promise<void> {
    if (this.#made.has(at)) return
    const first = await mkdir(at, { recursive: true, mode: 0o700 })
    this.#made.add(at)
    if (first === undefined) return
    for (let above = path.dirname(at); above.length >= first.length; above = path.dirname(above))
      this.#made.add(above)
  }

  /** Waits for what is still being closed, whatever came of it: before the staged data is removed. */
  async abandon(): Promise<void> {
    await this.#files.abandon()
  }
}

/** Refuses a symlink that is absolute or leaves its own source (archive-v1 §5): SYMLINK_REFUSED. */
export function checkSymlink(memberPath: string, target: string): void {
  const [source = ''] = memberPath.split('/')
  const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(memberPath), target))
  if (target.startsWith('/') || !(resolved === source || resolved.startsWith(`${source}/`))) {
    throw new SealiftError('SYMLINK_REFUSED', { member: memberPath, link: target })
  }
}
