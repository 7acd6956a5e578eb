import assert from 'node:assert/strict'
import { test } from 'node:test'
import { age, count, day, duration, minute, moment, several, size } from './quantity.ts'

test('sizes are binary, with one digit behind the point', () => {
  const sizes = [0, 1023, 1024, 1536, 1048524, 1048525, 1048576, 5.5 * 1024 ** 3, 2 ** 60].map(size)
  assert.deepEqual(sizes, [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1023.9 KiB',
    '1.0 MiB',
    '1.0 MiB',
    '5.5 GiB',
    '1024.0 PiB',
  ])
})

test('counts have their thousands apart and their noun in number', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(count), ['0', '999', '1,000', '1,234,567'])
  assert.equal(several(1, 'copy', 'copies'), '1 copy')
  assert.equal(several(1200, 'member'), '1,200 members')
})

test('durations are in the unit that says enough', () => {
  const seconds = [0, 0.44, 9.94, 10, 99, 100, 3600, 86_400, 172_800, 86_400 * 2000]
  assert.deepEqual(seconds.map(duration), [
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '10 s',
    '99 s',
    '2 min',
    '60 min',
    '24 h',
    '2 d',
    '5 y',
  ])
})

test('an age says when the other clock is ahead', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  assert.equal(age('2026-03-01T11:59:55Z', now), 'now')
  assert.equal(age('2026-03-01T11:57:00Z', now), '3 min')
  assert.equal(age('2026-03-01T12:00:30Z', now), 'now')
  assert.equal(age('2026-03-02T12:00:00Z', now), 'future')
})

test('times are in UTC and say so', () => {
  assert.equal(minute('2026-03-01T13:05:59+01:00'), '2026-03-01 12:05Z')
  assert.equal(moment('2026-03-01T12:05:59Z'), '2026-03-01 12:05:59Z')
  assert.equal(day('2026-03-01T00:30:00+01:00'), '2026-02-28')
})
