import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseS3Url, s3Url } from './s3-url.ts'

test('an S3 URL is a bucket and a key, and is written again as it was', () => {
  for (const [text, bucket, key] of [
    ['s3://backups', 'backups', ''],
    ['s3://backups/notes/a.sealift', 'backups', 'notes/a.sealift'],
    ['s3://my.bucket-1/a b%20c/ü?x#y', 'my.bucket-1', 'a b%20c/ü?x#y'],
    ['s3://backups//twice//', 'backups', '/twice//'],
  ] as const) {
    assert.deepEqual(parseS3Url(text), { bucket, key })
    assert.equal(s3Url({ bucket, key }), text)
  }
  assert.deepEqual(parseS3Url('s3://backups/'), { bucket: 'backups', key: '' })
})

test('what is no S3 URL is none', () => {
  const tooLong = `s3://backups/${'a'.repeat(1025)}`
  for (const text of ['', 's3:', 's3://', 's3:///key', 'S3://backups', 'https://backups/key', tooLong]) {
    assert.equal(parseS3Url(text), undefined, text)
  }
  for (const bucket of ['ab', 'a_', '-abc', 'abc-', 'a b', 'user:password@host', 'a'.repeat(64)]) {
    assert.equal(parseS3Url(`s3://${bucket}/key`), undefined, bucket)
  }
})
