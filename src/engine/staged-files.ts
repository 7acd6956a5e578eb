import { fchmodSync, fchownSync, futimesSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { atPath } from './at-path.ts'

/** What a file is given once its content is written. Without an owner it belongs to who restores. */
export interface FileAttributes {
  readonly mode: number
  readonly mtimeMs: number
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** How much may wait to be written, in bytes and in steps, before the one who gives it has to wait too. */
const mostBytes = 4 << 20
const mostSteps = 48
/**
 * Files are made durable in groups, while the next group is written: a journaling file system then commits a few times,
 * and not once for every file. A group ends with so many files or bytes.
 */
const groupFiles = 256
const groupBytes = 256 << 20
/** Syncs at a time: fewer than Node's pool has threads, because what is written next needs some too. */
const syncsAtOnce = 4
/** How much of one file is written before the disk begins to take it: its sync then finds little left to do. */
const flushEvery = 32 << 20

interface OpenFile {
  readonly at: string
  readonly handle: FileHandle
}

/** A file that is being written. */
interface Draft {
  readonly at: string
  readonly opening: Promise<FileHandle>
  /** Neither of the two rejects. */
  written: Promise<void>
  flushed: Promise<void>
  size: number
  unflushed: number
}

/**
 * Writes files while the content of the next ones is still being opened and hashed. A failure is thrown by a later
 * call, by `finish()` at the latest; from then on nothing more is written.
 */
export class StagedFiles {
  bytes = 0
  /** What was begun and may be waited for, oldest first; none of it rejects. */
  readonly #steps: Promise<void>[] = []
  #waiting = 0
  #group: OpenFile[] = []
  #groupSize = 0
  #syncing: Promise<void> = Promise.resolve()
  #failed = false
  #failure: unknown

  /** Makes a new file, 0600 until it has its content. A block of `content` must stay as it is once it was given. */
  async write(
    at: string,
    attributes: FileAttributes,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [],
  ): Promise<void> {
    const opening = open(at, 'wx', 0o600)
    opening.catch((error: unknown) => this.#fail(at, error))
    const none = Promise.resolve()
    const draft = { at, opening, written: none, flushed: none, size: 0, unflushed: 0 }
    let whole = false
    try {
      for await (const block of content) {
        this.#append(draft, block)
        await this.#room()
      }
      whole = true
    } finally {
      this.#steps.push(this.#close(draft, whole ? attributes : undefined))
    }
    await this.#room()
  }

  /** Waits until everything is written, not yet until it is durable. */
  async settle(): Promise<void> {
    await Promise.all(this.#steps.splice(0))
    this.#throwFailure()
  }

  /** Makes everything durable. */
  async finish(): Promise<void> {
    await this.settle()
    this.#endGroup()
    await this.#syncing
    this.#throwFailure()
  }

  /** Gives up what is not finished, and closes every file. */
  async abandon(): Promise<void> {
    this.#failed = true
    await Promise.all(this.#steps.splice(0))
    this.#endGroup()
    await this.#syncing
  }

  async #room(): Promise<void> {
    while (this.#waiting > mostBytes || this.#steps.length > mostSteps) await this.#steps.shift()
    this.#throwFailure()
  }

  #append(draft: Draft, block: Uint8Array): void {
    const { at, opening, written: before } = draft
    this.bytes += block.length
    this.#waiting += block.length
    const append = async (): Promise<void> => {
      await before
      await this.#attempt(at, async () => {
        const handle = await opening
        for (let done = 0; done < block.length;) done += (await handle.write(block, done)).bytesWritten
        draft.size += block.length
        draft.unflushed += block.length
        if (draft.unflushed < flushEvery) return
        draft.unflushed = 0
        await draft.flushed
        draft.flushed = this.#attempt(at, () => handle.datasync())
      })
      this.#waiting -= block.length
    }
    draft.written = append()
    this.#steps.push(draft.written)
  }

  /** Gives a file what it has beside its content, and leaves it to a group; without attributes it is given up. */
  async #close(draft: Draft, attributes: FileAttributes | undefined): Promise<void> {
    const { at, opening } = draft
    await draft.written
    await draft.flushed
    const handle = await opening.catch(() => undefined)
    if (handle === undefined) return
    await this.#attempt(at, async () => {
      if (attributes === undefined) return
      const { owner, mode, mtimeMs } = attributes
      // Three calls that touch no disk: on a way through the thread pool they would cost more than they do.
      if (owner !== undefined) fchownSync(handle.fd, owner.uid, owner.gid)
      fchmodSync(handle.fd, mode)
      futimesSync(handle.fd, mtimeMs / 1000, mtimeMs / 1000)
    })
    this.#group.push({ at, handle })
    this.#groupSize += draft.size
    if (this.#group.length < groupFiles && this.#groupSize < groupBytes) return
    const before = this.#syncing
    this.#endGroup()
    await before
  }

  #endGroup(): void {
    this.#syncing = this.#sync(this.#group, this.#syncing)
    this.#group = []
    this.#groupSize = 0
  }

  /** Syncs and closes the files of a group, once the group before has been. */
  async #sync(group: readonly OpenFile[], before: Promise<void>): Promise<void> {
    await before
    const left = group.values()
    const some = async (): Promise<void> => {
      for (const { at, handle } of left) {
        await this.#attempt(at, () => handle.sync())
        // A network file system may say only now that it could not keep what was written.
        await handle.close().catch((error: unknown) => this.#fail(at, error))
      }
    }
    await Promise.all(Array.from({ length: syncsAtOnce }, some))
  }

  async #attempt(at: string, work: () => Promise<void>): Promise<void> {
    if (this.#failed) return
    try {
      await work()
    } catch (error) {
      this.#fail(at, error)
    }
  }

  #fail(at: string, error: unknown): void {
    if (!this.#failed) this.#failure = atPath(error, at)
    this.#failed = true
  }

  #throwFailure(): void {
    if (this.#failed) throw this.#failure
  }
}
