import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder } from './in-order.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n += 1) yield n
}
const never = async (): Promise<void> => {}

test('results come in order, however long each takes, and never more than the width at a time', async () => {
  let working = 0
  let most = 0
  const work = async (n: number): Promise<number> => {
    most = Math.max(most, (working += 1))
    await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5))
    working -= 1
    return n
  }
  const got = await Array.fromAsync(inOrder(numbers(50), 4, () => true, work, never))
  assert.deepEqual(got, [...Array(50).keys()])
  assert.equal(most, 4)
})

test('an item that must wait its turn is begun only when all before it were taken', async () => {
  const taken: number[] = []
  const seen: string[] = []
  const work = async (n: number): Promise<number> => {
    seen.push(`${n} after ${taken.length}`)
    return n
  }
  for await (const n of inOrder(numbers(6), 4, (item) => item !== 3, work, never)) taken.push(n)
  assert.ok(seen.includes('3 after 3'), seen.join())
})

test('a failure shows when its turn comes, and what was begun after it is discarded', async () => {
  const discarded: number[] = []
  const got: number[] = []
  const work = async (n: number): Promise<number> => {
    if (n === 2) throw new Error('two')
    return n
  }
  await assert.rejects(async () => {
    const discard = async (n: number): Promise<void> => void discarded.push(n)
    for await (const n of inOrder(numbers(10), 5, () => true, work, discard)) got.push(n)
  }, /two/)
  assert.deepEqual(got, [0, 1])
  assert.deepEqual(discarded, [3, 4, 5, 6])
})

test('a reader that stops early has all that was begun discarded', async () => {
  const discarded: number[] = []
  const discard = async (n: number): Promise<void> => void discarded.push(n)
  for await (const n of inOrder(
    numbers(10),
    3,
    () => true,
    async (item) => item,
    discard,
  ))
    if (n === 1) break
  assert.deepEqual(discarded, [2, 3])
})
