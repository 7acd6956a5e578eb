import { fchmodSync, fchownSync, futimesSync } from 'node:fs'
import { chmod, chown, link, lchown, lutimes, mkdir, open, symlink, utimes } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { SealiftError } from '../errors.ts'
import type { MemberType } from '../member.ts'
import { atPath } from './at-path.ts'
import { syncFolder } from './journal.ts'

/** A member about to be written, with its place in the staged tree. Without an owner it belongs to who restores. */
export interface StagedMember {
  readonly path: string
  readonly type: MemberType
  readonly link?: string
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/**
 * Writes members into private folders made by this run. Folders stay closed to others until `finish()`, files get
 * their owner and mode before they are closed, symlinks come last: no write can go through one.
 */
export class StagedTree {
  readonly #folders = new Map<string, StagedMember>()
  readonly #symlinks: { readonly at: string; readonly member: StagedMember }[] = []
  readonly #made = new Set<string>()
  readonly #closing = new Set<Promise<void>>()
  #failure: unknown
  bytes = 0

  /** A block of `content` must stand until the one after the next is asked for. */
  async put(at: string, member: StagedMember, content?: AsyncIterable<Uint8Array>): Promise<void> {
    if (member.type === 'directory') {
      await this.#folder(at)
      this.#folders.set(at, member)
      return
    }
    await this.#folder(path.dirname(at))
    if (member.type === 'symlink') this.#symlinks.push({ at, member })
    else await this.#file(at, member, content)
  }

  /** A second name for a file that was put before. */
  async putLink(at: string, original: string): Promise<void> {
    await this.#settle()
    await this.#folder(path.dirname(at))
    await link(original, at)
  }

  /** Symlinks, then the folders' own modes and times from the innermost outwards, then everything durable. */
  async finish(): Promise<void> {
    await this.#settle()
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

  async #file(at: string, member: StagedMember, content?: AsyncIterable<Uint8Array>): Promise<void> {
    const handle = await open(at, 'wx', 0o600)
    try {
      await this.#write(handle, content ?? [])
      // Three calls that touch no disk: on a way through the thread pool they would cost more than they do.
      if (member.owner !== undefined) fchownSync(handle.fd, member.owner.uid, member.owner.gid)
      fchmodSync(handle.fd, member.mode)
      futimesSync(handle.fd, member.mtimeMs / 1000, member.mtimeMs / 1000)
    } catch (error) {
      await handle.close()
      throw atPath(error, at)
    }
    await this.#close(handle, at)
  }

  /** Writes a block while the next one is being opened and hashed; a large file goes to the disk on the way. */
  async #write(handle: FileHandle, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    let writing = Promise.resolve()
    let flushing = Promise.resolve()
    let unflushed = 0
    try {
      for await (const block of content) {
        await writing
        writing = writeAll(handle, block)
        writing.catch(() => undefined) // thrown where it is awaited
        this.bytes += block.length
        unflushed += block.length
        if (unflushed < flushEvery) continue
        unflushed = 0
        await flushing
        flushing = handle.datasync()
        flushing.catch(() => undefined) // thrown where it is awaited
      }
    } finally {
      // Also after a failure: the descriptor is not closed under a write.
      await Promise.allSettled([writing, flushing])
    }
    await writing
    await flushing
  }

  /** Makes a file durable while the next ones are written; at most 32 at a time. */
  async #close(handle: FileHandle, at: string): Promise<void> {
    const closing = this.#durable(handle, at).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
    if (this.#closing.size >= 32) await Promise.race(this.#closing)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #durable(handle: FileHandle, at: string): Promise<void> {
    try {
      await handle.sync()
    } catch (error) {
      this.#failure ??= atPath(error, at)
    } finally {
      await handle.close()
    }
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#closing)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Waits for what is still being closed, whatever came of it: before the staged data is removed. */
  async abandon(): Promise<void> {
    await Promise.all(this.#closing)
  }
}

/** How much of a file is written before the disk begins to take it: the sync at its end then finds little left to do. */
const flushEvery = 32 << 20

async function writeAll(handle: FileHandle, block: Uint8Array): Promise<void> {
  for (let done = 0; done < block.length;) done += (await handle.write(block, done)).bytesWritten
}

/** Refuses a symlink that is absolute or leaves its own source (archive-v1 §5): SYMLINK_REFUSED. */
export function checkSymlink(memberPath: string, target: string): void {
  const [source = ''] = memberPath.split('/')
  const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(memberPath), target))
  if (target.startsWith('/') || !(resolved === source || resolved.startsWith(`${source}/`))) {
    throw new SealiftError('SYMLINK_REFUSED', { member: memberPath, link: target })
  }
}
