import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { commandWorld } from '../../test/support/command-world.ts'
import type { Report } from '../engine/report.ts'
import { reported } from '../engine/run.ts'
import { SealiftError } from '../errors.ts'
import { Printer } from './printer.ts'
import type { Face } from './renderer.ts'
import { styleFor } from './style.ts'
import { text } from './text.ts'

const face: Face<string> = { verb: 'try', text: (result) => result }
const product: Face<string> = { ...face, stdout: 'product' }
const data: Face<string> = { ...face, stdout: 'data' }
const at = '2026-03-01T12:00:00Z'

function report(rest: Partial<Report<string>> = {}): Report<string> {
  const ok = rest.error === undefined
  return { verb: 'try', run: '', ok, started_at: at, finished_at: at, seconds: 0, warnings: [], ...rest }
}

function renderer(options: { readonly quiet?: boolean; readonly debug?: boolean } = {}) {
  const world = commandWorld()
  const style = styleFor(world.stdout, {})
  const shown = text({
    out: new Printer(world.stdout),
    err: new Printer(world.stderr),
    progress: undefined,
    quiet: options.quiet === true,
    debug: options.debug === true,
    outStyle: style,
    errStyle: style,
    now: world.now,
  })
  return { shown, printed: world.printed }
}

test('the result goes to standard output, warnings and notes to standard error', () => {
  const { shown, printed } = renderer()
  shown.event({ type: 'note', message: 'by the way' })
  shown.event({ type: 'warning', code: 'w', source: 'files', path: 'a', message: 'it changed' })
  shown.end(report({ result: 'done' }), face)
  assert.deepEqual(printed(), { out: 'done\n', err: 'by the way\nwarning: files: a: it changed\n' })
})

test('a warning is said once, whether it came as an event, in the report or both', () => {
  const { shown, printed } = renderer()
  const first = { code: 'w', message: 'one' }
  shown.event({ type: 'warning', ...first })
  shown.end(report({ warnings: [first, { code: 'w', message: 'two' }], result: '' }), face)
  assert.equal(printed().err, 'warning: one\nwarning: two\n')
})

test('quiet leaves warnings, errors, and what was asked for', () => {
  const action = renderer({ quiet: true })
  action.shown.event({ type: 'note', message: 'by the way' })
  action.shown.event({ type: 'warning', code: 'w', message: 'it changed' })
  action.shown.end(report({ result: 'done' }), face)
  assert.deepEqual(action.printed(), { out: '', err: 'warning: it changed\n' })
  const question = renderer({ quiet: true })
  question.shown.end(report({ result: 'the answer' }), product)
  assert.equal(question.printed().out, 'the answer\n')
})

test('where standard output carries data no text goes there', () => {
  const { shown, printed } = renderer()
  shown.end(report({ result: 'done' }), data)
  assert.equal(printed().out, '')
})

test('an error is a sentence and a hint, with the result as far as there is one', () => {
  const { shown, printed } = renderer()
  const error = reported(new SealiftError('SLOT_NOT_FOUND', { slot: '7' }))
  shown.end(report({ error, result: 'half' }), face)
  const { out, err } = printed()
  assert.equal(out, 'half\n')
  assert.equal(
    err,
    'sealift: the archive has no slot 7\n  hint: `sealift inspect` shows the slots and their numbers\n',
  )
})

test('a trace is shown for a fault of ours, and for any error only when debugging', () => {
  const fault = new Error('broken inside', { cause: new Error('the reason') })
  const bug = renderer()
  bug.shown.end(report({ error: reported(fault) }), face, fault)
  assert.match(bug.printed().err, /at .*text\.test\.ts[^]*caused by: Error: the reason/)
  const named = new SealiftError('USAGE', { reason: 'no' })
  const plain = renderer()
  plain.shown.end(report({ error: reported(named) }), face, named)
  assert.doesNotMatch(plain.printed().err, /text\.test\.ts/)
  const debugging = renderer({ debug: true })
  debugging.shown.end(report({ error: reported(named) }), face, named)
  assert.match(debugging.printed().err, /text\.test\.ts/)
})

test('what comes from outside cannot steer the terminal', () => {
  const { shown, printed } = renderer()
  const escape = '\u001B[2J'
  shown.event({ type: 'warning', code: 'w', message: `a${escape}` })
  shown.event({ type: 'note', message: `b${escape}` })
  shown.end(report({ error: reported(new SealiftError('MEMBER_NOT_FOUND', { path: `c${escape}` })) }), face)
  assert.ok(!printed().err.includes('\u001B'))
})

test('colours are only for a terminal that has them', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true })
  assert.notEqual(styleFor(terminal, { TERM: 'xterm' }).bad('x'), 'x')
  for (const env of [{ TERM: 'xterm', NO_COLOR: '1' }, { TERM: 'dumb' }, {}]) {
    assert.equal(styleFor(terminal, env).bad('x'), 'x')
  }
  assert.equal(styleFor(new PassThrough(), { TERM: 'xterm' }).bad('x'), 'x')
})
