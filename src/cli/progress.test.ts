import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Progress, progressLine } from './progress.ts'

const mib = 1024 * 1024

test('the line shows what is done, how fast, and how long it will take', () => {
  const line = progressLine(
    { label: 'sealing notes', bytes: 300 * mib, total: 1024 * mib, rate: 100 * mib },
    79,
  )
  assert.equal(line, 'sealing notes  300.0 MiB of 1.0 GiB  29 %  100.0 MiB/s  7.2 s left')
})

test('without a total or a rate it shows what it knows', () => {
  assert.equal(progressLine({ label: 'reading', bytes: 0, rate: 0 }, 79), 'reading')
  assert.equal(progressLine({ label: 'reading', bytes: mib, rate: 0 }, 79), 'reading  1.0 MiB')
})

test('a guess that was too low never shows more than 100 %', () => {
  const line = progressLine({ label: 'x', bytes: 20, total: 10, rate: 1 }, 79)
  assert.equal(line, 'x  20 B of 10 B  100 %  1 B/s')
})

test('a long label gives way, and the line never exceeds the terminal', () => {
  const moment = { label: 'l'.repeat(200), bytes: 300 * mib, total: 1024 * mib, rate: 100 * mib }
  for (const width of [20, 40, 79]) assert.ok(progressLine(moment, width).length <= width)
  assert.match(progressLine(moment, 79), /^l+…  300\.0 MiB of/)
})

/** A terminal that keeps what was written to it, and a clock to move. */
function screen() {
  let text = ''
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const state = { nowMs: 0 }
  return {
    state,
    progress: new Progress(output, () => state.nowMs),
    written: (): string => {
      const since = text
      text = ''
      return since
    },
  }
}

test('it is drawn at most ten times a second', () => {
  const { state, progress, written } = screen()
  progress.show({ type: 'phase', phase: 'seal', label: 'sealing' })
  for (state.nowMs = 0; state.nowMs < 1000; state.nowMs += 1) {
    progress.show({ type: 'progress', phase: 'seal', bytes: state.nowMs + 1, total: 5000 })
  }
  const draws = written().split('\r').length - 1
  assert.ok(draws >= 9 && draws <= 11, `${draws} draws`)
})

test('a rate is of the last seconds, not of the whole run', () => {
  const { state, progress, written } = screen()
  progress.show({ type: 'phase', phase: 'seal', label: 's' })
  for (let second = 0; second <= 60; second += 1) {
    state.nowMs = second * 1000
    progress.show({ type: 'progress', phase: 'seal', bytes: second < 30 ? 0 : (second - 30) * mib })
  }
  assert.match(written(), / {2}1\.0 MiB\/s$/)
})

test('clearing takes the line away, and only if there is one', () => {
  const { progress, written } = screen()
  progress.clear()
  assert.equal(written(), '')
  progress.show({ type: 'phase', phase: 'seal', label: 'sealing' })
  assert.equal(written(), '\r\u001B[Ksealing')
  progress.clear()
  assert.equal(written(), '\r\u001B[K')
})
