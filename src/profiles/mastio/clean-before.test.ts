import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standing } from './clean-before.ts'

test('an archive is clean if its state is from before the breach, and a foreign one only by its rows too', () => {
  const breach = new Date('2026-05-14T12:00:00Z')
  const [before, after] = [new Date(breach.getTime() - 1), new Date(breach)]
  assert.equal(standing({ from: 'manifest', snapshotAt: before }, breach), 'clean')
  assert.equal(standing({ from: 'manifest', snapshotAt: after }, breach), 'later')
  assert.equal(standing({ from: 'name', stamp: before }, breach), 'unknown')
  assert.equal(standing({ from: 'name', stamp: before, newestRow: before }, breach), 'clean')
  assert.equal(standing({ from: 'name', stamp: before, newestRow: null }, breach), 'clean')
  assert.equal(standing({ from: 'name', stamp: before, newestRow: after }, breach), 'later')
  assert.equal(standing({ from: 'name', stamp: after, newestRow: before }, breach), 'later')
})
