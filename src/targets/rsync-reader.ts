import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, addAbortSignal } from 'node:stream'

import { SealiftError } from '../errors.ts'
import { attempt } from './failure.ts'
import { listEntries } from './rsync-list.ts'
import type { RsyncRemote } from './rsync-remote.ts'
import type { RsyncVersion } from './rsync-segment.ts'
import { RsyncSegment, replaced } from './rsync-segment.ts'
import type { StoredReader } from './target.ts'

const readSize = 1024 * 1024
/** What one connection brings at least: a header, or the end of an index. */
const least = 256 * 1024
/** How far ahead of what has arrived a read waits for it, before it asks for another place. */
const ahead = 32 * 1024 * 1024

/** The archive to read; `scratch` is a folder of this reader alone, on this machine. */
export interface RsyncArchive {
  readonly name: string
  readonly scratch: string
}

/**
 * Opens an archive with its beginning: OBJECT_NOT_FOUND if it is not there. A read at some place brings that place; one
 * that goes on where an earlier one ended brings all to the end. The sealed bytes lie in private files until the caller
 * disposes the reader; DISK_FULL where there is no room for them.
 */
export async function openRsyncReader(
  remote: RsyncRemote,
  archive: RsyncArchive,
  signal?: AbortSignal,
): Promise<StoredReader> {
  signal?.throwIfAborted()
  const { name, scratch } = archive
  const { target } = remote
  try {
    const first = await attempt(target, `open ${name}`, async () => {
      const segment = await RsyncSegment.begin(remote, name, join(scratch, '0'), 0)
      try {
        await segment.wait(least, signal)
        return segment
      } finally {
        await segment.end()
      }
    })
    const version = first.version ?? (await emptyOne(remote, name, signal))
    if (version === undefined) {
      await first[Symbol.asyncDispose]()
      throw new SealiftError('OBJECT_NOT_FOUND', { target, name })
    }
    return new RsyncReader(remote, archive, version, first)
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    signal?.throwIfAborted()
    throw error
  }
}

/** An archive without a byte: rsync has nothing to append, and says as little as for one that is not there. */
async function emptyOne(
  remote: RsyncRemote,
  name: string,
  signal: AbortSignal | undefined,
): Promise<RsyncVersion | undefined> {
  const [found] = await listEntries(remote, [name], `open ${name}`, signal)
  return found?.folder === false && found.size === 0 ? { size: 0, time: '' } : undefined
}

class RsyncReader implements StoredReader {
  readonly name: string
  readonly size: number
  readonly #remote: RsyncRemote
  readonly #scratch: string
  readonly #version: RsyncVersion
  readonly #segments: RsyncSegment[]
  #last: Promise<unknown> = Promise.resolve()

  constructor(remote: RsyncRemote, archive: RsyncArchive, version: RsyncVersion, first: RsyncSegment) {
    this.name = archive.name
    this.size = version.size
    this.#remote = remote
    this.#scratch = archive.scratch
    this.#version = version
    this.#segments = [first]
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, offset + Math.max(0, length))
    if (offset >= end) return Buffer.alloc(0)
    // One after another: what one brings, the next may need.
    const reading = this.#last.then(
      async () =>
        await attempt(this.#remote.target, `read ${this.name}`, async () => await this.#range(offset, end)),
    )
    this.#last = reading.catch(() => undefined)
    return await reading
  }

  stream(signal?: AbortSignal): Readable {
    const stream = Readable.from(this.#pieces(), { objectMode: false, highWaterMark: readSize })
    // Who reads hears of an error from `pipeline`; one that comes before must not end the process.
    stream.on('error', () => undefined)
    return signal === undefined ? stream : addAbortSignal(signal, stream)
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    for (let offset = 0; offset < this.size; offset += readSize) yield await this.read(offset, readSize)
  }

  async #range(offset: number, end: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let at = offset; at < end;) {
      const segment = (await this.#holding(at)) ?? (await this.#bring(at, end))
      await segment.wait(end)
      const bytes = await segment.read(at, Math.min(end, await segment.reached()) - at)
      if (bytes.length === 0 || !this.#isSame(segment)) throw replaced(this.#remote.target, this.name)
      pieces.push(bytes)
      at += bytes.length
    }
    return Buffer.concat(pieces)
  }

  async #holding(at: number): Promise<RsyncSegment | undefined> {
    for (const segment of this.#segments) {
      const reached = await segment.reached()
      if (segment.start <= at && (at < reached || (segment.running && at < reached + ahead))) return segment
    }
    return undefined
  }

  async #bring(at: number, end: number): Promise<RsyncSegment> {
    const ends = await Promise.all(this.#segments.map(async (segment) => await segment.reached()))
    const goesOn = ends.includes(at)
    if (goesOn) await this.#refuseFull(this.size - at)
    const folder = join(this.#scratch, String(this.#segments.length))
    const segment = await RsyncSegment.begin(this.#remote, this.name, folder, at)
    this.#segments.push(segment)
    if (!goesOn) {
      await segment.wait(Math.max(end, at + least))
      await segment.end()
    }
    return segment
  }

  async #refuseFull(needed: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#scratch)
    const free = bavail * bsize
    if (free < needed) throw new SealiftError('DISK_FULL', { path: this.#scratch, needed, free })
  }

  #isSame({ version }: RsyncSegment): boolean {
    return version?.size === this.#version.size && version.time === this.#version.time
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const segment of this.#segments) await segment[Symbol.asyncDispose]()
    await rm(this.#scratch, { recursive: true, force: true })
  }
}
