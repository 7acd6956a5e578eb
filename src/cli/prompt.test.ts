import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askHidden, HiddenLine } from './prompt.ts'
import { typedTerminal as terminal } from '../../test/support/typed-terminal.ts'

function typed(text: string): { outcome: string; text: string } {
  const line = new HiddenLine()
  return { outcome: line.feed(Buffer.from(text)), text: line.text }
}

test('a line is what was typed up to the return key', () => {
  assert.deepEqual(typed('open sesame\r'), { outcome: 'done', text: 'open sesame' })
  assert.deepEqual(typed('open'), { outcome: 'more', text: 'open' })
})

test('backspace takes one character away, also a wide one; Ctrl-U takes all', () => {
  assert.equal(typed('abc\u007F\b\r').text, 'a')
  assert.equal(typed('a👍\u007F\r').text, 'a')
  assert.equal(typed('\u007Fwrong\u0015right\r').text, 'right')
})

test('arrow keys and the marks of a paste are no part of it', () => {
  assert.equal(typed('a\u001B[Db\u001BOCc\u001B[3~\r').text, 'abc')
  assert.equal(typed('\u001B[200~pasted\u001B[201~\r').text, 'pasted')
})

test('Ctrl-C gets out, Ctrl-D does so on an empty line and else ends it', () => {
  assert.equal(typed('abc\u0003').outcome, 'interrupt')
  assert.equal(typed('\u0004').outcome, 'interrupt')
  assert.deepEqual(typed('abc\u0004'), { outcome: 'done', text: 'abc' })
})

test('a character that comes in two pieces is one character', () => {
  const line = new HiddenLine()
  const bytes = Buffer.from('ü\r')
  line.feed(bytes.subarray(0, 1))
  assert.equal(line.feed(bytes.subarray(1)), 'done')
  assert.equal(line.text, 'ü')
})

test('what is typed is never written to the terminal, which is raw only while it asks', async () => {
  const fake = terminal('open sesame\r')
  const answer = await askHidden(fake, 'Passphrase: ', new AbortController().signal, () => undefined)
  assert.equal(answer.reveal(), 'open sesame')
  assert.equal(fake.shown(), 'Passphrase: \n')
  assert.deepEqual(fake.raw, [true, false])
})

test('Ctrl-C interrupts the run and leaves the terminal as it was', async () => {
  const fake = terminal('open\u0003')
  let interrupted = 0
  const asked = askHidden(fake, '? ', new AbortController().signal, () => (interrupted += 1))
  await assert.rejects(asked, { code: 'CANCELLED' })
  assert.equal(interrupted, 1)
  assert.deepEqual(fake.raw, [true, false])
})

test('a run that is stopped meanwhile stops asking', async () => {
  const fake = terminal('')
  const controller = new AbortController()
  const asked = askHidden(fake, '? ', controller.signal, () => undefined)
  controller.abort()
  await assert.rejects(asked, { code: 'CANCELLED' })
  assert.deepEqual(fake.raw, [true, false])
})

test('a terminal that hangs up ends the question', async () => {
  const fake = terminal('half')
  fake.hangUp()
  await assert.rejects(
    askHidden(fake, '? ', new AbortController().signal, () => undefined),
    { code: 'CANCELLED' },
  )
})
