import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Writable, addAbortSignal } from 'node:stream'
import { finished } from 'node:stream/promises'

import { SealiftError } from '../errors.ts'
import { attempt, targetFailure } from './failure.ts'
import type { Disk } from './folder.ts'
import type { StoredObject, StoredWriter } from './target.ts'

/** Big enough that a slow disk does not stop the seal between two chunks, small enough to stay bounded. */
const bufferSize = 4 * 1024 * 1024

const flushEvery = 32 * 1024 * 1024

/** Where one archive is written, and how its part file then gets its name. */
export interface LocalWrite {
  readonly target: string
  readonly name: string
  /** The part file, in the same folder as the archive. */
  readonly part: string
  /** Gives the complete and synced part file its name, and leaves no part file. All or nothing. */
  readonly publish: (part: string, path: string) => Promise<void>
}

/** Makes the part file, 0600 whatever the umask is, and never through a symlink. The caller disposes the writer. */
export async function openWriter(disk: Disk, write: LocalWrite, signal?: AbortSignal): Promise<StoredWriter> {
  signal?.throwIfAborted()
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  return await attempt(write.target, `create ${write.name}`, async () => {
    const handle = await disk.open(write.part, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    const writer = new LocalWriter(disk, write, handle, signal)
    try {
      await handle.chmod(0o600)
      return writer
    } catch (error) {
      await writer[Symbol.asyncDispose]()
      throw error
    }
  })
}

class LocalWriter implements StoredWriter {
  readonly name: string
  readonly stream: Writable
  readonly #disk: Disk
  readonly #write: LocalWrite
  readonly #handle: FileHandle
  readonly #signal: AbortSignal | undefined
  #written = 0
  #flushedAt = 0
  #flushing: Promise<void> | undefined
  #fault: unknown
  #ended = false

  constructor(disk: Disk, write: LocalWrite, handle: FileHandle, signal: AbortSignal | undefined) {
    this.name = write.name
    this.#disk = disk
    this.#write = write
    this.#handle = handle
    this.#signal = signal
    this.stream = new Writable({
      highWaterMark: bufferSize,
      write: (chunk: Buffer, _encoding, done) => void this.#append([chunk]).then(() => done(), done),
      writev: (items, done) =>
        void this.#append(items.map((item): Buffer => item.chunk)).then(() => done(), done),
    })
    // Whoever writes hears of an error from `pipeline`, or else from commit(); with no listener it would end the process.
    this.stream.on('error', () => undefined)
    if (signal !== undefined) addAbortSignal(signal, this.stream)
  }

  async #append(chunks: readonly Buffer[]): Promise<void> {
    try {
      for (let rest = chunks; rest.length > 0;) {
        const { bytesWritten } = await this.#handle.writev(rest)
        this.#written += bytesWritten
        rest = after(rest, bytesWritten)
      }
      this.#flushBehind()
    } catch (error) {
      throw targetFailure(this.#write.target, `write ${this.name}`, error)
    }
  }

  /**
   * Lets the disk work while the seal does: 1 GiB then waits 10 ms at the last sync and not 250 (measured). An error
   * is kept, because Linux tells a file's write error to one sync only.
   */
  #flushBehind(): void {
    if (this.#flushing !== undefined || this.#written - this.#flushedAt < flushEvery) return
    this.#flushedAt = this.#written
    this.#flushing = this.#handle
      .datasync()
      .catch((error: unknown) => (this.#fault ??= error))
      .then(() => (this.#flushing = undefined))
  }

  async commit(): Promise<StoredObject> {
    if (this.#ended)
      throw new SealiftError('BUG', { reason: `${this.name} was committed or disposed before` })
    try {
      return await attempt(this.#write.target, `write ${this.name}`, async () => {
        this.stream.end()
        await finished(this.stream)
        await this.#flushing
        if (this.#fault !== undefined) throw this.#fault
        await this.#handle.sync()
        const { size, mtime } = await this.#handle.stat()
        if (size !== this.#written) throw new Error(`the file has ${size} bytes and not ${this.#written}`)
        // A network file system may say only now that it could not keep what was written.
        await this.#handle.close()
        this.#signal?.throwIfAborted()
        await this.#write.publish(this.#write.part, join(dirname(this.#write.part), this.name))
        this.#ended = true
        return { name: this.name, size, modifiedAt: mtime }
      })
    } catch (error) {
      await this[Symbol.asyncDispose]()
      this.#signal?.throwIfAborted()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.stream.destroy()
    // What cannot be removed now is a part file without an owner, which the next sweep removes and names. An error
    // here would hide the one that led here.
    await this.#handle.close().catch(() => undefined)
    await this.#disk.unlink(this.#write.part).catch(() => undefined)
  }
}

/** What is left of `chunks` after the first `count` bytes: a write may take fewer than it was given. */
function after(chunks: readonly Buffer[], count: number): readonly Buffer[] {
  let skip = count
  for (const [index, chunk] of chunks.entries()) {
    if (skip < chunk.length) return [chunk.subarray(skip), ...chunks.slice(index + 1)]
    skip -= chunk.length
  }
  return []
}
