import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference, parseTranscript } from './transcript.ts'

test('a transcript is commands with what they print and their exit code', () => {
  const text = '# a remark\n$ one\nout\n! err\n[exit 3]\n\n$ two \\\n> more\n'
  assert.deepEqual(parseTranscript(text), [
    { line: 2, command: 'one', stdout: ['out'], stderr: ['err'], exit: 3 },
    { line: 7, command: 'two \\\nmore', stdout: [], stderr: [], exit: 0 },
  ])
})

test('placeholders stand for what differs, and for nothing else', () => {
  assert.equal(difference(['id <ID>  <SIZE>'], 'id 1a2b3c4d 8.7 KiB\n', '/x'), undefined)
  assert.equal(difference(['in <DIR>/a'], 'in /x/a\n', '/x'), undefined)
  assert.equal(difference(['first', '...', 'last'], 'first\na\nb\nlast\n', '/x'), undefined)
  assert.notEqual(difference(['id <ID>'], 'id 1a2b3c4\n', '/x'), undefined)
  assert.notEqual(difference(['a.b'], 'axb\n', '/x'), undefined)
  assert.notEqual(difference([], 'something\n', '/x'), undefined)
  assert.notEqual(difference(['something'], '', '/x'), undefined)
})
