import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, whyRefused } from './names.ts'

test('a name with bytes that are not UTF-8 is shown with escapes, and only that name is refused', () => {
  const bad = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0xc3, 0xa9, 0x0a, 0xff])
  assert.equal(printable(bad), 'caf\\xe9é\\n\\xff')
  assert.match(whyRefused('s', 'x', bad) ?? '', /UTF-8/)
  for (const name of ['plain', 'two\nlines', 'back\\slash', '-rf', ' ', 'e\u0301', '\u00e9', '🚢']) {
    assert.equal(whyRefused('s', name, Buffer.from(name)), undefined, name)
  }
  assert.equal(printable(Buffer.from('🚢 naïve')), '🚢 naïve')
})

test('a path may have 4096 bytes with its source, and not one more', () => {
  const path = 'é'.repeat(2047)
  assert.equal(whyRefused('s', path, Buffer.from('x')), undefined)
  assert.match(whyRefused('st', path, Buffer.from('x')) ?? '', /4096/)
})
