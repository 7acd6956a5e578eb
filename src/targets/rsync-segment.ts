import { mkdir, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { SealiftError, isSealiftError } from '../errors.ts'
import { targetFailure } from './failure.ts'
import type { RsyncRemote } from './rsync-remote.ts'
import { pauseAfter } from './rsync-remote.ts'

/** Size and time of an archive on the other host, as rsync says them when it begins to send. */
export interface RsyncVersion {
  readonly size: number
  readonly time: string
}

/** How often the file is looked at while it grows, in ms. */
const look = 15

/**
 * The bytes of an archive from one place on, as they arrive in a private file. rsync sends no range; but to a file that
 * has `start` bytes it appends what comes after them, and a process that has sent enough is ended. The first `start`
 * bytes are a hole. A connection that is cut goes on at the byte that was reached.
 */
export class RsyncSegment implements AsyncDisposable {
  readonly start: number
  readonly #remote: RsyncRemote
  readonly #name: string
  readonly #folder: string
  readonly #handle: FileHandle
  readonly #stop = new AbortController()
  readonly #coming: Promise<void>
  #version: RsyncVersion | undefined
  #fault: { readonly error: unknown } | undefined
  #ended = false

  private constructor(remote: RsyncRemote, name: string, folder: string, handle: FileHandle, start: number) {
    this.#remote = remote
    this.#name = name
    this.#folder = folder
    this.#handle = handle
    this.start = start
    this.#coming = this.#fetch()
      .catch((error: unknown) => void (this.#fault = { error }))
      .finally(() => (this.#ended = true))
  }

  /** `folder` is a private one, of this segment alone. */
  static async begin(
    remote: RsyncRemote,
    name: string,
    folder: string,
    start: number,
  ): Promise<RsyncSegment> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const handle = await open(join(folder, name), 'wx+', 0o600)
    await handle.truncate(start)
    return new RsyncSegment(remote, name, folder, handle, start)
  }

  /** Whether more may still arrive. */
  get running(): boolean {
    return !this.#ended
  }

  /** What was sent: undefined if the archive is not there, or has no byte from `start` on. */
  get version(): RsyncVersion | undefined {
    return this.#version
  }

  /** Up to which byte it has arrived. */
  async reached(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** Waits until all has arrived up to the byte `end`, or the end of the archive. */
  async wait(end: number, signal?: AbortSignal): Promise<void> {
    while ((await this.reached()) < end && this.running) {
      await Promise.race([sleep(look), this.#coming])
      signal?.throwIfAborted()
    }
    if ((await this.reached()) < end && this.#fault !== undefined) throw this.#fault.error
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, offset)
    return buffer.subarray(0, bytesRead)
  }

  /** Ends the transfer, if it still runs; what has arrived stays. */
  async end(): Promise<void> {
    this.#stop.abort()
    await this.#coming
  }

  async #fetch(): Promise<void> {
    for (let idle = 0; ; idle++) {
      const before = await this.reached()
      try {
        return await this.#append()
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if ((await this.reached()) > before) idle = 0
        await pauseAfter(this.#failure(error), idle, this.#stop.signal)
      }
    }
  }

  async #append(): Promise<void> {
    const { place } = this.#remote
    const args = ['--dirs', '--inplace', '--append', '--out-format=%l %M', `--include=/${this.#name}`]
    const output = this.#remote.start([...args, '--exclude=*', place, `${this.#folder}/`], this.#stop.signal)
    let said = ''
    for await (const chunk of output as AsyncIterable<Buffer>) {
      said += chunk.toString('latin1')
      const [, size, time] = /^(\d+) (\S+)\n/m.exec(said) ?? []
      if (size !== undefined && time !== undefined) this.#sees({ size: Number(size), time })
    }
  }

  #sees(version: RsyncVersion): void {
    this.#version ??= version
    if (version.size === this.#version.size && version.time === this.#version.time) return
    throw new Error('another archive took its name while it was read')
  }

  #failure(error: unknown): unknown {
    const failed = this.#remote.failure(`read ${this.#name}`, error)
    return isSealiftError(failed) ? failed : targetFailure(this.#remote.target, `read ${this.#name}`, failed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    await this.#handle.close()
  }
}

/** What an archive that is not the opened one any more is told by. */
export function replaced(target: string, name: string): SealiftError {
  const reason = 'another archive took its name while it was read'
  return new SealiftError('TARGET_UNAVAILABLE', { target, operation: `read ${name}`, reason })
}
