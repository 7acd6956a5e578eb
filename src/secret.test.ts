import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from './secret.ts'

test('a secret shows only that it is one, however it is printed', () => {
  const secret = new Secret('correct horse battery staple')
  const shown = [
    String(secret),
    'as text: ' + String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9 }),
  ]
  for (const text of shown) {
    assert.match(text, /\[secret\]/)
    assert.doesNotMatch(text, /horse/)
  }
  assert.equal(secret.reveal(), 'correct horse battery staple')
})
