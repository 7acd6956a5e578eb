import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strengthOf } from './strength.ts'

test('repeats, runs and few characters are weak however long they are', () => {
  for (const weak of [
    'aaaaaaaaaaaaaaaaaaaa',
    '123456789012',
    'abcdefghijklmnop',
    'abababababababababab',
    'passwordpass',
    'secret words 12',
    'Correct Horse 99!',
  ]) {
    assert.equal(strengthOf(weak).word, 'weak', weak)
  }
})

test('six distinct words are strong, the same word six times is weak', () => {
  assert.equal(strengthOf('otter bridge lemon canvas orbit tulip').word, 'strong')
  assert.equal(strengthOf('otter otter otter otter otter otter').word, 'weak')
})

test('twelve random characters of several kinds are strong', () => {
  assert.equal(strengthOf('x7Rq-Vb2Lw9T').word, 'strong')
})
