import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { ByteReader } from './byte-reader.ts'

async function* pieces(...sizes: number[]) {
  let next = 0
  for (const size of sizes) yield Buffer.from(Array.from({ length: size }, () => next++ % 256))
}

describe('a byte reader', () => {
  it('gives exactly what is asked for, whatever pieces it comes in', async () => {
    for (const sizes of [[20], [1, 1, 1, 17], [7, 0, 13], new Array<number>(20).fill(1)]) {
      const reader = new ByteReader(pieces(...sizes))
      const got = [await reader.read(3), await reader.read(0), await reader.read(12), await reader.read(9)]
      assert.deepEqual(
        got.map(({ length }) => length),
        [3, 0, 12, 5],
      )
      assert.deepEqual(
        Array.from(Buffer.concat(got)),
        Array.from({ length: 20 }, (_, at) => at),
      )
      assert.equal(reader.position, 20)
      assert.equal((await reader.read(1)).length, 0)
    }
  })

  it('gives what is there first, up to a limit', async () => {
    const reader = new ByteReader(pieces(4, 6))
    const sizes = []
    for (let part = await reader.some(3); part.length > 0; part = await reader.some(3))
      sizes.push(part.length)
    assert.deepEqual(sizes, [3, 1, 3, 3])
  })

  it('ends a source that has stalled when it is told to stop', async () => {
    const controller = new AbortController()
    const stalled = new Readable({ read: () => undefined })
    const reading = new ByteReader(stalled, controller.signal).read(1)
    setImmediate(() => controller.abort(new Error('enough')))
    await assert.rejects(reading, /enough/)
    assert.ok(stalled.destroyed)
  })

  it('closes its source when it is disposed of', async () => {
    let closed = false
    async function* source() {
      try {
        for (;;) yield Buffer.alloc(10)
      } finally {
        closed = true
      }
    }
    {
      await using reader = new ByteReader(source())
      await reader.read(5)
    }
    assert.ok(closed)
  })
})
