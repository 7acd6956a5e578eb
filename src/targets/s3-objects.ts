import type { Readable } from 'node:stream'

import type { S3Connection } from './s3-connection.ts'
import { s3ErrorName, s3Status } from './s3-failure.ts'

/** An object as a server describes it. */
export interface S3Object {
  readonly size: number
  readonly modifiedAt: Date
  readonly etag: string | undefined
  /** What `markOf` gave it. */
  readonly mark: string | undefined
}

/** Says in the metadata who wrote an object: after a lost answer it tells whose object is there. */
const markKey = 'sealift-write'

export function markOf(mark: string): Record<string, string> {
  return { [markKey]: mark }
}

/** Undefined if there is no such object. */
export async function headObject(
  at: S3Connection,
  key: string,
  operation: string,
  signal?: AbortSignal,
): Promise<S3Object | undefined> {
  return await at.ask(operation, signal, async ({ sdk, client }, options) => {
    try {
      const found = await client.send(new sdk.HeadObjectCommand({ Bucket: at.bucket, Key: key }), options)
      return objectOf(found, found.ContentLength ?? 0)
    } catch (error) {
      // An answer without a body cannot say whether it is the bucket that is missing.
      if (s3Status(error) === 404 && s3ErrorName(error) !== 'NoSuchBucket') return undefined
      throw error
    }
  })
}

/**
 * The bytes from `from` up to and without `to`, of the version with this etag if one is given. Undefined if there is no
 * such object, or none of its bytes lies there. Whoever asked reads or destroys the body.
 */
export async function getObject(
  at: S3Connection,
  key: string,
  range: { readonly from: number; readonly to: number; readonly etag?: string | undefined },
  signal?: AbortSignal,
): Promise<{ object: S3Object; body: Readable } | undefined> {
  const request = {
    Bucket: at.bucket,
    Key: key,
    Range: `bytes=${range.from}-${range.to - 1}`,
    IfMatch: range.etag,
  }
  return await at.ask(`read ${key}`, signal, async ({ sdk, client }, options) => {
    try {
      const got = await client.send(new sdk.GetObjectCommand(request), options)
      const total = /\/(\d+)$/.exec(got.ContentRange ?? '')?.[1]
      const size = total === undefined ? (got.ContentLength ?? 0) : Number(total)
      return { object: objectOf(got, size), body: got.Body as Readable }
    } catch (error) {
      if (['NoSuchKey', 'InvalidRange'].includes(s3ErrorName(error))) return undefined
      throw error
    }
  })
}

/** The objects whose key begins with `prefix` and has no further `/`. */
export async function* listObjects(
  at: S3Connection,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<{ key: string; size: number; modifiedAt: Date }> {
  for (let after: string | undefined, more = true; more;) {
    const request = { Bucket: at.bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: after }
    const page = await at.ask('list', signal, async ({ sdk, client }, options) => {
      return await client.send(new sdk.ListObjectsV2Command(request), options)
    })
    for (const { Key: key, Size: size = 0, LastModified } of page.Contents ?? []) {
      if (key !== undefined) yield { key, size, modifiedAt: LastModified ?? new Date(0) }
    }
    after = page.NextContinuationToken
    more = page.IsTruncated === true && after !== undefined
  }
}

/** Makes an object without a byte: an upload must have a part, and not every server takes an empty one. */
export async function putEmptyObject(
  at: S3Connection,
  key: string,
  mark: string,
  onlyNew: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    Bucket: at.bucket,
    Key: key,
    Body: Buffer.alloc(0),
    ContentType: 'application/octet-stream',
    Metadata: markOf(mark),
    StorageClass: at.storageClass,
    IfNoneMatch: onlyNew ? '*' : undefined,
  }
  await at.ask(`write ${key}`, signal, async ({ sdk, client }, options) => {
    await client.send(new sdk.PutObjectCommand(request), options)
  })
}

export async function removeObject(at: S3Connection, key: string, signal?: AbortSignal): Promise<void> {
  await at.ask(`remove ${key}`, signal, async ({ sdk, client }, options) => {
    await client.send(new sdk.DeleteObjectCommand({ Bucket: at.bucket, Key: key }), options)
  })
}

function objectOf(
  answer: {
    readonly LastModified?: Date | undefined
    readonly ETag?: string | undefined
    readonly Metadata?: Record<string, string> | undefined
  },
  size: number,
): S3Object {
  const { LastModified: modifiedAt = new Date(0), ETag: etag, Metadata } = answer
  return { size, modifiedAt, etag, mark: Metadata?.[markKey] }
}
