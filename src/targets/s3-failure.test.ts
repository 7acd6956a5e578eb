import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SealiftError, isSealiftError } from '../errors.ts'
import { s3Failure } from './s3-failure.ts'

/** An error as the SDK throws it. */
const answer = (name: string, status?: number, message = 'as it is') =>
  Object.assign(new Error(message), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  })

const failure = (error: unknown) => s3Failure('bucket', 'archives', 'list', error)

test('credentials that do not serve are a refusal, whatever the server calls it', () => {
  for (const name of ['AccessDenied', 'ExpiredToken', 'InvalidAccessKeyId', 'CredentialsProviderError']) {
    const found = failure(answer(name))
    assert.equal(found.code, 'TARGET_DENIED')
    assert.equal(found.message, `target bucket: list was refused: ${name}: as it is`)
  }
  assert.equal(failure(answer('SomethingNew', 403)).code, 'TARGET_DENIED')
  assert.equal(
    failure(answer('403', 403, 'UnknownError')).message,
    'target bucket: list was refused: HTTP 403',
  )
})

test('what may pass is told apart from what will not', () => {
  const code = (word: string) => Object.assign(new Error(`read ${word}`), { code: word })
  const transient = (error: unknown) => {
    const found = failure(error)
    assert.ok(isSealiftError(found, 'TARGET_UNAVAILABLE'))
    assert.equal(found.cause, error)
    return found.data.transient
  }
  for (const error of [
    answer('SlowDown', 503),
    answer('InternalError', 500),
    answer('Busy', 429),
    answer('TimeoutError'),
    code('ECONNRESET'),
    code('ECONNREFUSED'),
    Object.assign(answer('Strange'), { $retryable: {} }),
  ]) {
    assert.equal(transient(error), true, String(error))
  }
  for (const error of [
    answer('NotImplemented', 501),
    answer('InvalidPart', 400),
    answer('PreconditionFailed', 412),
    code('ENOTFOUND'),
    new Error('what?'),
    'a string',
  ]) {
    assert.equal(transient(error), false, String(error))
  }
})

test('a bucket that is not there has its own code, and an error with a code keeps it', () => {
  assert.equal(failure(answer('NoSuchBucket', 404)).message, 'target bucket: there is no bucket archives')
  const own = new SealiftError('OBJECT_EXISTS', { target: 'bucket', name: 'a.sealift' })
  assert.equal(failure(own), own)
})
