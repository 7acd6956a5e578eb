/** A place in a bucket: `key` is an object's key, or what the keys of several begin with, or `''`. */
export interface S3Place {
  readonly bucket: string
  readonly key: string
}

const pattern = /^s3:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])(?:\/(.*))?$/su

/** Reads `s3://bucket/key` as it stands, without percent-decoding, as the AWS tools do. Undefined if it is none. */
export function parseS3Url(text: string): S3Place | undefined {
  const [, bucket, key = ''] = pattern.exec(text) ?? []
  if (bucket === undefined || Buffer.byteLength(key) > 1024) return undefined
  return { bucket, key }
}

export function s3Url({ bucket, key }: S3Place): string {
  return key === '' ? `s3://${bucket}` : `s3://${bucket}/${key}`
}
