import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrapped } from './wrap.ts'

test('a paragraph is broken between words, and its later lines are indented', () => {
  assert.equal(wrapped('  one two three', { indent: 4, width: 10 }), '  one two\n    three')
  assert.equal(wrapped('one'), 'one')
  assert.equal(wrapped('a\u001b[31mb\u001b[39m cd', { width: 5 }), 'a\u001b[31mb\u001b[39m cd')
  assert.equal(wrapped('unbreakable word', { width: 4, indent: 1 }), 'unbreakable\n word')
})
