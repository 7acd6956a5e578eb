import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inOrder } from './ordered.ts'

async function* numbers(count: number, fail?: number) {
  for (let at = 0; at < count; at++) {
    if (at === fail) throw new Error('source')
    yield at
  }
}

describe('work in order', () => {
  it('yields in the order of the source, whatever ends first, and never runs more than its width', async () => {
    let running = 0
    let most = 0
    const results = inOrder(numbers(20), 4, async (at) => {
      most = Math.max(most, ++running)
      await sleep((at * 7) % 5)
      running--
      return at
    })
    assert.deepEqual(
      await Array.fromAsync(results),
      Array.from({ length: 20 }, (_, at) => at),
    )
    assert.equal(most, 4)
  })

  it('throws in its place: what stands before it has been yielded', async () => {
    for (const [fail, work] of [
      [5, async (at: number) => at],
      [undefined, async (at: number) => (at === 5 ? Promise.reject(new Error('work')) : at)],
    ] as const) {
      const seen: number[] = []
      await assert.rejects(async () => {
        for await (const at of inOrder(numbers(20, fail), 3, work)) seen.push(at)
      }, /source|work/)
      assert.deepEqual(seen, [0, 1, 2, 3, 4])
    }
  })

  it('closes the source when the loop is left', async () => {
    let closed = false
    async function* source() {
      try {
        for (;;) yield 1
      } finally {
        closed = true
      }
    }
    for await (const _ of inOrder(source(), 3, async (at) => at)) break
    assert.ok(closed)
  })
})
