import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, test } from 'node:test'

import { isSealiftError } from '../../src/errors.ts'
import { S3Connection } from '../../src/targets/s3-connection.ts'
import { S3Markers } from '../../src/targets/s3-marker.ts'
import { sweepUploads } from '../../src/targets/s3-sweep.ts'
import { beginUpload, sendPart } from '../../src/targets/s3-uploads.ts'
import { s3 } from '../../src/targets/s3.ts'
import { content, digest, hasCode, listed, pieces, put, sample } from '../support/stored.ts'
import type { FaultyHttp } from '../support/versitygw-proxy.ts'
import { faultyHttp } from '../support/versitygw-proxy.ts'
import { credentials, versitygw } from '../support/versitygw-server.ts'
import type { S3UnderTest } from '../support/versitygw-target.ts'
import { s3UnderTest } from '../support/versitygw-target.ts'

Object.assign(process.env, credentials)
const server = await versitygw()
after(async () => await server[Symbol.asyncDispose]())

const part = /^PUT .*partNumber=2/
const completion = /^POST .*uploadId=/
const bytes = sample(20_000_000)

/** A target behind a proxy of its own. */
async function behind(): Promise<AsyncDisposable & S3UnderTest & { readonly proxy: FaultyHttp }> {
  const stack = new AsyncDisposableStack()
  const proxy = stack.use(await faultyHttp(server.port))
  const under = stack.use(await s3UnderTest(proxy.endpoint))
  return { ...under, proxy, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

/** For `assert.rejects`: this code, and a sentence with these words. */
const says =
  (code: string, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isSealiftError(error), String(error))
    assert.equal(error.code, code, error.message)
    for (const word of words) assert.ok(error.message.includes(word), error.message)
    return true
  }

const passing = [
  ['a server error', { status: 500, code: 'InternalError' }],
  ['a server that is overloaded', { status: 503, code: 'SlowDown' }],
  ['a slow answer', { delay: 1500 }],
  ['a connection cut in the middle of a part', { cutRequestAt: 3_000_000 }],
  ['a lost answer', { loseAnswer: true }],
] as const
for (const [what, fault] of passing) {
  test(`${what} while a part is sent: the part is sent again, and the archive is whole`, async () => {
    await using at = await behind()
    at.proxy.fail(part, fault)
    await using writer = await at.target.create('a.sealift', { expectedSize: bytes.length })
    await pipeline(pieces(bytes, 1_000_000), writer.stream)
    assert.equal((await writer.commit()).size, bytes.length)
    const sent = at.proxy.asked.filter((what) => part.test(what)).length
    assert.equal(sent, 'delay' in fault ? 1 : 2)
    assert.equal(digest(await content(at.target, 'a.sealift')), digest(bytes))
    assert.deepEqual(await at.residue(), ['a.sealift'])
  })
}

test('an overload that lasts ends the write with the server’s own word for it, and leaves nothing', async () => {
  await using at = await behind()
  at.proxy.fail(part, { status: 503, code: 'SlowDown' }, 100)
  await assert.rejects(put(at.target, 'a.sealift', bytes.subarray(0, 17_000_000)), (error) => {
    says('TARGET_UNAVAILABLE', 'SlowDown')(error)
    return isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.transient === true
  })
  assert.deepEqual(await at.residue(), [])
})

test('a lost answer to the last step does not lose the archive, nor call it somebody else’s', async () => {
  await using at = await behind()
  at.proxy.fail(completion, { loseAnswer: true })
  await put(at.target, 'a.sealift', sample(1000))
  assert.ok(at.proxy.asked.filter((what) => completion.test(what)).length > 1)
  assert.deepEqual(await content(at.target, 'a.sealift'), sample(1000))
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('a server that knows no condition still never overwrites', async () => {
  await using at = await behind()
  at.proxy.fail(completion, { status: 501, code: 'NotImplemented' })
  await using first = await at.target.create('a.sealift')
  await using second = await at.target.create('a.sealift')
  first.stream.write(sample(1000))
  second.stream.write(sample(2000))
  await first.commit()
  at.proxy.fail(completion, { status: 501, code: 'NotImplemented' })
  await assert.rejects(second.commit(), hasCode('OBJECT_EXISTS'))
  assert.deepEqual(await content(at.target, 'a.sealift'), sample(1000))
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('a connection cut in the middle of a read goes on from the byte that was reached', async () => {
  await using at = await behind()
  await put(at.target, 'a.sealift', bytes)
  await using reader = await at.target.open('a.sealift')
  at.proxy.fail(/^GET /, { cutAnswerAt: 5_000_000 }, 2)
  assert.equal(digest(await buffer(reader.stream())), digest(bytes))
  assert.equal(at.proxy.asked.filter((what) => /^GET .*GetObject/.test(what)).length, 4)
  at.proxy.fail(/^GET /, { cutAnswerAt: 100 })
  assert.deepEqual(await reader.read(9_000_000, 100_000), bytes.subarray(9_000_000, 9_100_000))
})

test('a connection that is cut again and again ends the read with an error, never early', async () => {
  await using at = await behind()
  await put(at.target, 'a.sealift', bytes)
  await using reader = await at.target.open('a.sealift')
  at.proxy.fail(/^GET /, { cutAnswerAt: 0 }, 100)
  await assert.rejects(buffer(reader.stream()), hasCode('TARGET_UNAVAILABLE'))
})

test('an archive that another replaces while it is read is an error, never a mixture', async () => {
  await using at = await behind()
  await put(at.target, 'a.sealift', bytes)
  await using reader = await at.target.open('a.sealift')
  await using writer = await at.target.replace('a.sealift')
  await pipeline(pieces(sample(20_000_001), 1_000_000), writer.stream)
  await writer.commit()
  await assert.rejects(buffer(reader.stream()), says('TARGET_UNAVAILABLE', 'PreconditionFailed'))
})

test('a credential that expires during the write says so, with what to do, and nothing becomes visible', async () => {
  await using at = await behind()
  const message = 'The provided token has expired.'
  at.proxy.fail(part, { status: 400, code: 'ExpiredToken', message }, 100)
  await assert.rejects(put(at.target, 'a.sealift', bytes.subarray(0, 17_000_000)), (error) => {
    says('TARGET_DENIED', `ExpiredToken: ${message}`)(error)
    return isSealiftError(error) && /credentials/.test(error.hint ?? '')
  })
  assert.deepEqual(await at.residue(), [])
})

test('wrong and missing credentials are told apart from a place that fails', async () => {
  await using at = await behind()
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = credentials
  const nothing = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' }
  const saved = { HOME: process.env['HOME'], AWS_EC2_METADATA_DISABLED: '' }
  const anew = () => s3.open('bucket', at.options)
  try {
    process.env['AWS_SECRET_ACCESS_KEY'] = `${secret}x`
    await assert.rejects(listed(anew()), says('TARGET_DENIED', 'SignatureDoesNotMatch'))
    process.env['AWS_ACCESS_KEY_ID'] = `${id}x`
    await assert.rejects(anew().create('a.sealift'), says('TARGET_DENIED'))
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
    Object.assign(process.env, nothing)
    await assert.rejects(listed(anew()), says('TARGET_DENIED', 'CredentialsProviderError'))
  } finally {
    Object.assign(process.env, credentials, saved)
  }
})

test('a bucket that is not there is named, and none is made', async () => {
  await using at = await behind()
  const elsewhere = s3.open('bucket', { ...at.options, bucket: 'not-there' })
  const missing = says('TARGET_NOT_FOUND', 'bucket not-there')
  await assert.rejects(listed(elsewhere), missing)
  await assert.rejects(elsewhere.create('a.sealift'), missing)
  await assert.rejects(elsewhere.open('a.sealift'), missing)
  await assert.rejects(elsewhere.sweep(), missing)
})

test('nobody listens there: the place is unavailable, and another try may help', async () => {
  const options = { bucket: 'archives', endpoint: 'http://127.0.0.1:1', region: 'us-east-1' }
  await assert.rejects(listed(s3.open('bucket', options)), (error) => {
    return isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.transient === true
  })
})

test('more archives than one answer names are all listed, and nothing else of the bucket', async () => {
  await using at = await behind()
  const folder = join(server.folder, 'archives', at.options.prefix ?? '')
  await mkdir(join(folder, 'deeper'), { recursive: true })
  const names = Array.from({ length: 1005 }, (_, index) => `app-${index}.sealift`)
  for (const name of [...names, 'notes.txt', 'deeper/b.sealift']) await writeFile(join(folder, name), 'x')
  assert.deepEqual(await listed(at.target), names.toSorted())
})

test('a sweep takes the uploads that nobody wrote to for a day, and leaves what is not an archive’s', async () => {
  await using at = await behind()
  const connection = new S3Connection('bucket', at.options)
  const prefix = `${at.options.prefix}/`
  for (const key of ['a.sealift', 'photo.jpg', 'deeper/b.sealift']) {
    const id = await beginUpload(connection, `${prefix}${key}`, 'other')
    await sendPart(connection, { key: `${prefix}${key}`, id }, 1, sample(100))
  }
  const markers = new S3Markers(at.scratch, 'elsewhere')
  const sweep = async (hours: number) =>
    await sweepUploads(connection, prefix, markers, new Date(Date.now() + hours * 3_600_000))
  assert.deepEqual(await sweep(23), [])
  const swept = await sweep(25)
  assert.deepEqual(
    swept.map((name) => name.split(' ')[0]),
    ['a.sealift'],
  )
  assert.deepEqual(await at.residue(), ['photo.jpg (upload)'])
})
