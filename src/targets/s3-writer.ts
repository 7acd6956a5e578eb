import { Writable, addAbortSignal } from 'node:stream'
import { finished } from 'node:stream/promises'

import { SealiftError, isSealiftError } from '../errors.ts'
import { attempt } from './failure.ts'
import type { S3Connection } from './s3-connection.ts'
import { s3ErrorName } from './s3-failure.ts'
import type { S3Object } from './s3-objects.ts'
import { headObject, putEmptyObject } from './s3-objects.ts'
import { S3Parts } from './s3-parts.ts'
import { abortUpload, beginUpload, completeUpload } from './s3-uploads.ts'
import type { StoredObject, StoredWriter } from './target.ts'

/** The archive to write. */
export interface S3Write {
  readonly target: string
  readonly name: string
  readonly key: string
  /** Refuses a name that is taken. */
  readonly onlyNew: boolean
  readonly expectedSize: number | undefined
  /** Says in the object’s metadata that this writer wrote it. */
  readonly mark: string
  /** Notes the upload for a later sweep; the result takes the note away. */
  readonly note: (upload: string) => Promise<() => Promise<void>>
}

/** Begins an upload, which also shows that the credentials may write. The caller disposes the writer. */
export async function openS3Writer(
  at: S3Connection,
  write: S3Write,
  signal?: AbortSignal,
): Promise<StoredWriter> {
  const id = await beginUpload(at, write.key, write.mark, signal)
  try {
    const forget = await attempt(
      write.target,
      `write ${write.name}`,
      async () => await write.note(id),
      signal,
    )
    return new S3Writer(at, write, id, forget, signal)
  } catch (error) {
    await abortUpload(at, { key: write.key, id }).catch(() => undefined)
    throw error
  }
}

class S3Writer implements StoredWriter {
  readonly name: string
  readonly stream: Writable
  readonly #at: S3Connection
  readonly #write: S3Write
  readonly #id: string
  readonly #forget: () => Promise<void>
  readonly #signal: AbortSignal | undefined
  readonly #left = new AbortController()
  readonly #parts: S3Parts
  #ended = false

  constructor(
    at: S3Connection,
    write: S3Write,
    id: string,
    forget: () => Promise<void>,
    signal: AbortSignal | undefined,
  ) {
    this.name = write.name
    this.#at = at
    this.#write = write
    this.#id = id
    this.#forget = forget
    this.#signal = signal
    const ended = signal === undefined ? this.#left.signal : AbortSignal.any([signal, this.#left.signal])
    this.#parts = new S3Parts(at, { key: write.key, id }, write.expectedSize, ended)
    this.stream = new Writable({
      highWaterMark: 1024 * 1024,
      write: (chunk: Buffer, _encoding, done) => void this.#parts.take(chunk).then(() => done(), done),
    })
    // Whoever writes hears of an error from `pipeline`, or else from commit(); with no listener it would end the process.
    this.stream.on('error', () => undefined)
    if (signal !== undefined) addAbortSignal(signal, this.stream)
  }

  async commit(): Promise<StoredObject> {
    if (this.#ended)
      throw new SealiftError('BUG', { reason: `${this.name} was committed or disposed before` })
    try {
      return await attempt(
        this.#write.target,
        `write ${this.name}`,
        async () => {
          this.stream.end()
          await finished(this.stream)
          const parts = await this.#parts.finish()
          if (this.#write.onlyNew && (await this.#head()) !== undefined) throw this.#exists()
          this.#signal?.throwIfAborted()
          await this.#publish(parts)
          const stored = await this.#published()
          this.#ended = true
          await this.#forget()
          return { name: this.name, size: stored.size, modifiedAt: stored.modifiedAt }
        },
        this.#signal,
      )
    } catch (error) {
      await this[Symbol.asyncDispose]()
      this.#signal?.throwIfAborted()
      throw error
    }
  }

  /**
   * Makes the object visible. Not every server knows the condition, and on some it is no lock (of 20 racers on a Ceph
   * all 20 won): who wrote what is there is asked afterwards, by `#published`.
   */
  async #publish(parts: Awaited<ReturnType<S3Parts['finish']>>): Promise<void> {
    const upload = { key: this.#write.key, id: this.#id }
    const make = async (onlyNew: boolean) => {
      if (parts.length > 0) return await completeUpload(this.#at, upload, parts, onlyNew)
      await putEmptyObject(this.#at, upload.key, this.#write.mark, onlyNew)
      await abortUpload(this.#at, upload)
    }
    try {
      await make(this.#write.onlyNew)
    } catch (error) {
      const name = isSealiftError(error) ? s3ErrorName(error.cause) : ''
      if (name === 'NotImplemented' && this.#write.onlyNew) return await make(false)
      // The SDK repeats a request whose answer was lost, and is then told that the upload is gone or the name taken.
      const found = await this.#head().catch(() => undefined)
      if (this.#isOurs(found)) return
      const taken = ['PreconditionFailed', 'ConditionalRequestConflict'].includes(name)
      throw taken && found !== undefined ? this.#exists(error) : error
    }
  }

  /** The object under the name, if it is what this writer sent: its size is read back. */
  async #published(): Promise<S3Object> {
    const found = await this.#head()
    if (found !== undefined && this.#isOurs(found)) return found
    if (found !== undefined && found.mark !== this.#write.mark && this.#write.onlyNew) throw this.#exists()
    const reason = `what is there has ${found?.size ?? 0} bytes and not ${this.#parts.taken}, or is not what was written`
    throw this.#at.failure(`write ${this.name}`, new Error(reason))
  }

  #isOurs(found: S3Object | undefined): boolean {
    return found?.mark === this.#write.mark && found.size === this.#parts.taken
  }

  async #head(): Promise<S3Object | undefined> {
    return await headObject(this.#at, this.#write.key, `write ${this.name}`)
  }

  #exists(cause?: unknown): SealiftError {
    return new SealiftError('OBJECT_EXISTS', { target: this.#write.target, name: this.name }, cause)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#left.abort(new Error('the write was left'))
    this.stream.destroy()
    await this.#parts.settled()
    // What cannot be aborted now keeps its note, for the sweep after this process. An error here would hide the one
    // that led here.
    await abortUpload(this.#at, { key: this.#write.key, id: this.#id }).then(this.#forget, () => undefined)
  }
}
