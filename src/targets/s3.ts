import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { SealiftError } from '../errors.ts'
import { attempt } from './failure.ts'
import { checkObjectName, isObjectName } from './object-name.ts'
import { S3Connection } from './s3-connection.ts'
import { S3Markers } from './s3-marker.ts'
import { headObject, listObjects, removeObject } from './s3-objects.ts'
import type { S3Options } from './s3-options.ts'
import { openS3Reader } from './s3-reader.ts'
import { sweepUploads } from './s3-sweep.ts'
import { s3Url } from './s3-url.ts'
import { openS3Writer } from './s3-writer.ts'
import type { StoredObject, StoredReader, StoredWriter, Target, TargetDriver } from './target.ts'

/**
 * Archives as objects in a bucket of Amazon S3 or any server that speaks its protocol. An archive is an upload in parts,
 * of which nothing is visible before its last step. With a scratch folder, uploads are noted there for `sweep`.
 */
export const s3: TargetDriver<S3Options> = {
  kind: 's3',
  open: (name, options, scratch) => new S3Target(name, options, scratch),
}

class S3Target implements Target {
  readonly name: string
  readonly kind = 's3'
  readonly location: string
  readonly host?: string
  readonly #at: S3Connection
  readonly #prefix: string
  readonly #markers: S3Markers

  constructor(name: string, options: S3Options, scratch: string | undefined) {
    const { bucket, prefix = '', endpoint } = options
    this.name = name
    this.#prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
    const url = s3Url({ bucket, key: this.#prefix })
    this.location = endpoint === undefined ? url : `${url} at ${new URL(endpoint).host}`
    if (endpoint !== undefined) this.host = new URL(endpoint).hostname
    this.#at = new S3Connection(name, options)
    const folder = scratch === undefined ? undefined : join(scratch, 's3')
    this.#markers = new S3Markers(folder, `${endpoint ?? 'aws'} ${bucket}`)
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredObject> {
    for await (const { key, size, modifiedAt } of listObjects(this.#at, this.#prefix, signal)) {
      signal?.throwIfAborted()
      const name = key.slice(this.#prefix.length)
      // Whole seconds, as an answer about one object says it (RFC 9110 §5.6.7).
      const seconds = Math.floor(modifiedAt.getTime() / 1000)
      if (isObjectName(name)) yield { name, size, modifiedAt: new Date(seconds * 1000) }
    }
  }

  async open(name: string, signal?: AbortSignal): Promise<StoredReader> {
    checkObjectName(this.name, name)
    return await openS3Reader(this.#at, { target: this.name, name, key: this.#key(name) }, signal)
  }

  async create(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    // Told before the work is done; the end of the upload itself decides.
    if ((await headObject(this.#at, this.#key(name), `create ${name}`, options?.signal)) !== undefined) {
      throw new SealiftError('OBJECT_EXISTS', { target: this.name, name })
    }
    return await this.#writer(name, true, options)
  }

  async replace(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    await this.#mustExist(name, `replace ${name}`, options?.signal)
    return await this.#writer(name, false, options)
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkObjectName(this.name, name)
    await this.#mustExist(name, `remove ${name}`, signal)
    await removeObject(this.#at, this.#key(name), signal)
  }

  async sweep(signal?: AbortSignal): Promise<string[]> {
    const sweep = async () => await sweepUploads(this.#at, this.#prefix, this.#markers, new Date(), signal)
    return await attempt(this.name, 'sweep', sweep, signal)
  }

  /** A bucket does not say how much it takes. */
  async free(): Promise<undefined> {
    return undefined
  }

  async #writer(
    name: string,
    onlyNew: boolean,
    options: { expectedSize?: number; signal?: AbortSignal } = {},
  ): Promise<StoredWriter> {
    const key = this.#key(name)
    const write = {
      target: this.name,
      name,
      key,
      onlyNew,
      expectedSize: options.expectedSize,
      mark: randomBytes(16).toString('hex'),
      note: async (upload: string) => await this.#markers.note(name, key, upload),
    }
    return await openS3Writer(this.#at, write, options.signal)
  }

  async #mustExist(name: string, operation: string, signal: AbortSignal | undefined): Promise<void> {
    if ((await headObject(this.#at, this.#key(name), operation, signal)) === undefined) {
      throw new SealiftError('OBJECT_NOT_FOUND', { target: this.name, name })
    }
  }

  #key(name: string): string {
    return `${this.#prefix}${name}`
  }
}
