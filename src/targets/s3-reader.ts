import { Readable, addAbortSignal } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import { SealiftError } from '../errors.ts'
import type { S3Connection } from './s3-connection.ts'
import type { S3Object } from './s3-objects.ts'
import { getObject, headObject } from './s3-objects.ts'
import type { StoredReader } from './target.ts'

/** What opening brings along: the header of an archive lies in it, and a listing of a hundred archives asks once for each. */
const beginning = 256 * 1024
const readSize = 1024 * 1024
/** How often in a row a body may be cut without a byte in between. */
const cutsInARow = 5

/** The archive to read. */
export interface S3Archive {
  readonly target: string
  readonly name: string
  readonly key: string
}

/**
 * Opens an object: OBJECT_NOT_FOUND if it is not there. All reads are of the version that was opened; if another took
 * its name, they end with TARGET_UNAVAILABLE. The caller disposes the reader.
 */
export async function openS3Reader(
  at: S3Connection,
  archive: S3Archive,
  signal?: AbortSignal,
): Promise<StoredReader> {
  const { target, name, key } = archive
  for (let cuts = 0; ; cuts++) {
    const got = await getObject(at, key, { from: 0, to: beginning }, signal)
    if (got === undefined) {
      const found = await headObject(at, key, `open ${name}`, signal)
      if (found === undefined) throw new SealiftError('OBJECT_NOT_FOUND', { target, name })
      return new S3Reader(at, archive, found, Buffer.alloc(0))
    }
    try {
      const first = await buffer(signal === undefined ? got.body : addAbortSignal(signal, got.body))
      return new S3Reader(at, archive, got.object, first)
    } catch (error) {
      signal?.throwIfAborted()
      if (cuts === cutsInARow) throw at.failure(`open ${name}`, error)
      await pause(cuts, signal)
    }
  }
}

class S3Reader implements StoredReader {
  readonly name: string
  readonly size: number
  readonly #at: S3Connection
  readonly #key: string
  readonly #etag: string | undefined
  readonly #beginning: Buffer
  readonly #disposed = new AbortController()

  constructor(at: S3Connection, archive: S3Archive, object: S3Object, first: Buffer) {
    this.name = archive.name
    this.size = object.size
    this.#at = at
    this.#key = archive.key
    this.#etag = object.etag
    this.#beginning = first
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, offset + Math.max(0, length))
    if (offset >= end) return Buffer.alloc(0)
    if (end <= this.#beginning.length) return Buffer.from(this.#beginning.subarray(offset, end))
    const pieces = await Array.fromAsync(this.#bytes(offset, end, this.#disposed.signal))
    return Buffer.concat(pieces)
  }

  stream(signal?: AbortSignal): Readable {
    const ended =
      signal === undefined ? this.#disposed.signal : AbortSignal.any([signal, this.#disposed.signal])
    const stream = Readable.from(this.#whole(ended), { objectMode: false, highWaterMark: readSize })
    // Who reads hears of an error from `pipeline`; one that comes before must not end the process.
    stream.on('error', () => undefined)
    return signal === undefined ? stream : addAbortSignal(signal, stream)
  }

  async *#whole(signal: AbortSignal): AsyncGenerator<Buffer> {
    if (this.#beginning.length > 0) yield Buffer.from(this.#beginning)
    yield* this.#bytes(this.#beginning.length, this.size, signal)
  }

  /** Bytes from one place to another; where a connection is cut, the next goes on from the byte that was reached. */
  async *#bytes(from: number, to: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    for (let reached = from, idle = 0; reached < to;) {
      const got = await getObject(this.#at, this.#key, { from: reached, to, etag: this.#etag }, signal)
      if (got === undefined) throw this.#lost('it was removed while it was read')
      const chunks = got.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      const before = reached
      let cut: unknown = new Error('the answer was cut')
      try {
        for (;;) {
          // Not around the `yield`: what a consumer throws in there is no cut of the connection.
          const next = await chunks
            .next()
            .catch((error: unknown) => ({ done: true, value: undefined, error }))
          if ('error' in next) cut = next.error
          if (next.done === true || next.value === undefined) break
          reached += next.value.length
          if (reached > to) throw this.#lost('the server sent more than was asked for')
          yield next.value
        }
      } finally {
        got.body.destroy()
      }
      signal.throwIfAborted()
      idle = reached > before ? 0 : idle + 1
      if (idle > cutsInARow) throw this.#at.failure(`read ${this.name}`, cut)
      if (reached < to) await pause(idle, signal)
    }
  }

  #lost(reason: string): Error {
    return this.#at.failure(`read ${this.name}`, new Error(reason))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort()
  }
}

async function pause(times: number, signal?: AbortSignal): Promise<void> {
  await sleep(100 * 2 ** times, undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw error
  })
}
