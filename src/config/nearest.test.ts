import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const known = ['passphrase_file', 'recipients', 'compression', 'path']

test('a slip of the keys finds its word', () => {
  assert.equal(nearest('pasphrase_file', known), 'passphrase_file')
  assert.equal(nearest('Recipient', known), 'recipients')
  assert.equal(nearest('compresison', known), 'compression')
  assert.equal(nearest('paht', known), 'path')
})

test('a word of its own finds none', () => {
  assert.equal(nearest('colour', known), undefined)
  assert.equal(nearest('', known), undefined)
  assert.equal(nearest('path', []), undefined)
})
