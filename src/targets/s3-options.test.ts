import assert from 'node:assert/strict'
import { test } from 'node:test'

import { s3Options } from './s3-options.ts'

test('a bucket alone is enough, and every option is taken', () => {
  assert.deepEqual(s3Options.parse({ bucket: 'archives' }), { bucket: 'archives' })
  const all = {
    bucket: 'archives',
    prefix: 'backups/notes',
    endpoint: 'https://s3.example.org:9000/storage',
    region: 'eu-central-1',
    path_style: false,
    storage_class: 'STANDARD_IA',
  }
  assert.deepEqual(s3Options.parse(all), all)
})

test('secrets, classes that must be thawed and strange names are refused', () => {
  for (const wrong of [
    {},
    { bucket: 'a' },
    { bucket: 's3://archives' },
    { bucket: 'archives', prefix: '/notes' },
    { bucket: 'archives', prefix: 'a//b' },
    { bucket: 'archives', endpoint: 's3.example.org' },
    { bucket: 'archives', endpoint: 'https://user:password@s3.example.org' },
    { bucket: 'archives', endpoint: 'https://s3.example.org/?key=1' },
    { bucket: 'archives', storage_class: 'DEEP_ARCHIVE' },
    { bucket: 'archives', access_key: 'x' },
    { bucket: 'archives', secret_key: 'x' },
  ]) {
    assert.equal(s3Options.safeParse(wrong).success, false, JSON.stringify(wrong))
  }
})
