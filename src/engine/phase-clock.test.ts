import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PhaseClock } from './phase-clock.ts'

test('phases are timed one after the other; what lies between them and a clock set back count nothing', () => {
  let now = 0
  const clock = new PhaseClock<'open' | 'restore'>(() => new Date(now))
  const pass = (ms: number): void => {
    now += ms
  }
  pass(5000)
  clock.begin('open')
  pass(1500)
  clock.begin('restore')
  pass(250)
  clock.stop()
  pass(9000)
  clock.begin('open')
  pass(500)
  clock.stop()
  clock.begin('restore')
  pass(-60_000)
  clock.stop()
  assert.deepEqual(clock.phases, { open: 2, restore: 0.25 })
  assert.equal(clock.seconds, 2.25)
})
