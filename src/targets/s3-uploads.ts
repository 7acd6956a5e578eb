import type { CompletedPart } from '@aws-sdk/client-s3'

import type { S3Connection } from './s3-connection.ts'
import { s3ErrorName } from './s3-failure.ts'
import { markOf } from './s3-objects.ts'

/** An upload in parts that somebody began and neither completed nor aborted. */
export interface S3Upload {
  readonly key: string
  readonly id: string
  readonly begunAt: Date
}

/** Begins an upload and returns its id: nothing of it is visible until it is completed. */
export async function beginUpload(
  at: S3Connection,
  key: string,
  mark: string,
  signal?: AbortSignal,
): Promise<string> {
  const request = {
    Bucket: at.bucket,
    Key: key,
    ContentType: 'application/octet-stream',
    Metadata: markOf(mark),
    StorageClass: at.storageClass,
  }
  return await at.ask(`write ${key}`, signal, async ({ sdk, client }, options) => {
    const { UploadId: id } = await client.send(new sdk.CreateMultipartUploadCommand(request), options)
    if (id === undefined) throw new Error('the server gave the upload no id')
    return id
  })
}

/** Sends one part with a checksum over it (the SDK adds a CRC-32), which a server that knows it compares. */
export async function sendPart(
  at: S3Connection,
  upload: { readonly key: string; readonly id: string },
  number: number,
  bytes: Buffer,
  signal?: AbortSignal,
): Promise<CompletedPart> {
  const request = {
    Bucket: at.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumber: number,
    Body: bytes,
  }
  return await at.ask(`write ${upload.key}`, signal, async ({ sdk, client }, options) => {
    const { ETag } = await client.send(new sdk.UploadPartCommand(request), options)
    // Without the checksum: some servers want it again at the end only where the upload began with its name.
    return { PartNumber: number, ETag }
  })
}

/** Makes the object of its parts in one step. With `onlyNew` a server that knows the condition refuses a taken key. */
export async function completeUpload(
  at: S3Connection,
  upload: { readonly key: string; readonly id: string },
  parts: readonly CompletedPart[],
  onlyNew: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    Bucket: at.bucket,
    Key: upload.key,
    UploadId: upload.id,
    MultipartUpload: { Parts: [...parts] },
    IfNoneMatch: onlyNew ? '*' : undefined,
  }
  await at.ask(`write ${upload.key}`, signal, async ({ sdk, client }, options) => {
    await client.send(new sdk.CompleteMultipartUploadCommand(request), options)
  })
}

/**
 * Aborts an upload, and again while the server still has it: a part that was on its way may arrive after the first
 * abort (Amazon S3 API, AbortMultipartUpload). False if there was no such upload.
 */
export async function abortUpload(
  at: S3Connection,
  upload: { readonly key: string; readonly id: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const request = { Bucket: at.bucket, Key: upload.key, UploadId: upload.id }
  return await at.ask(`abort the upload of ${upload.key}`, signal, async ({ sdk, client }, options) => {
    let aborted = false
    for (let times = 0; times < 5; times++) {
      try {
        await client.send(new sdk.AbortMultipartUploadCommand(request), options)
        aborted = true
        await client.send(new sdk.ListPartsCommand(request), options)
      } catch (error) {
        if (s3ErrorName(error) === 'NoSuchUpload') return aborted
        throw error
      }
    }
    throw new Error('the server keeps the upload although it was aborted')
  })
}

/** The uploads of keys that begin with `prefix` and have no further `/`. */
export async function* listUploads(
  at: S3Connection,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<S3Upload> {
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}
  for (let more = true; more;) {
    const request = { Bucket: at.bucket, Prefix: prefix, Delimiter: '/', ...after }
    const page = await at.ask('sweep', signal, async ({ sdk, client }, options) => {
      return await client.send(new sdk.ListMultipartUploadsCommand(request), options)
    })
    for (const { Key: key, UploadId: id, Initiated } of page.Uploads ?? []) {
      if (key !== undefined && id !== undefined) yield { key, id, begunAt: Initiated ?? new Date() }
    }
    after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    more = page.IsTruncated === true && after.KeyMarker !== undefined
  }
}

/** When something was last written to an upload: its beginning, or its newest part. Undefined if it is gone. */
export async function lastWrite(
  at: S3Connection,
  upload: S3Upload,
  signal?: AbortSignal,
): Promise<Date | undefined> {
  let last = upload.begunAt
  for (let after: string | undefined, more = true; more;) {
    const request = { Bucket: at.bucket, Key: upload.key, UploadId: upload.id, PartNumberMarker: after }
    const page = await at.ask('sweep', signal, async ({ sdk, client }, options) => {
      try {
        return await client.send(new sdk.ListPartsCommand(request), options)
      } catch (error) {
        if (s3ErrorName(error) === 'NoSuchUpload') return undefined
        throw error
      }
    })
    if (page === undefined) return undefined
    for (const { LastModified: written } of page.Parts ?? []) {
      if (written !== undefined && written > last) last = written
    }
    after = page.NextPartNumberMarker
    more = page.IsTruncated === true && after !== undefined
  }
  return last
}
