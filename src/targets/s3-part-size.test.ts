import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ordinaryPart, partSize, partsInFlight } from './s3-part-size.ts'

const mebibyte = 1024 ** 2
const gibibyte = 1024 ** 3
const tebibyte = 1024 ** 4

/** What 10,000 parts hold. */
const capacity = (ordinary: number) => {
  let sum = 0
  for (let number = 1; number <= 10_000; number++) sum += partSize(number, ordinary)
  return sum
}

test('10,000 parts suffice for 5 TiB, whatever was expected', () => {
  for (const expected of [undefined, 0, 1, 300 * mebibyte, 70 * gibibyte, tebibyte, 5 * tebibyte]) {
    const ordinary = ordinaryPart(expected)
    const held = capacity(ordinary)
    assert.ok(
      held >= (expected === undefined ? 5 * tebibyte : Math.max(3 * tebibyte, expected)),
      `${expected}`,
    )
    assert.ok(ordinary >= 5 * mebibyte && partSize(10_000, ordinary) <= 5 * gibibyte)
  }
})

test('an archive of the size that was expected has parts of one size', () => {
  for (const expected of [0, 64 * gibibyte, tebibyte, 5 * tebibyte]) {
    const ordinary = ordinaryPart(expected)
    const count = Math.ceil(expected / ordinary)
    assert.ok(count <= 8000)
    assert.equal(partSize(count, ordinary), ordinary)
  }
})

test('what lies in memory is a few small parts up to a hundred gibibytes', () => {
  for (const expected of [undefined, 0, gibibyte, 100 * gibibyte]) {
    const ordinary = ordinaryPart(expected)
    assert.ok(ordinary * (partsInFlight(ordinary) + 1) <= 64 * mebibyte)
  }
  assert.equal(partsInFlight(ordinaryPart(5 * tebibyte)), 1)
})
