import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, printableLines } from './printable.ts'

test('a name cannot move the cursor, fake a line or turn the direction of writing', () => {
  assert.equal(printable('a\u001B[2Jb'), 'a\\x1b[2Jb')
  assert.equal(printable('a\nb\tc\rd'), 'a\\nb\\tc\\rd')
  assert.equal(printable('gnp.\u202Eexe'), 'gnp.\\u202eexe')
  assert.equal(printable('\u009B31m'), '\\x9b31m')
})

test('other writing stays as it is', () => {
  assert.equal(printable('Übersicht 日本 👍 ’'), 'Übersicht 日本 👍 ’')
})

test('a message keeps its line ends', () => {
  assert.equal(printableLines('one\n  two\u0007'), 'one\n  two\\x07')
})
