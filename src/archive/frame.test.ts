import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { compressFrame, compressFrameSync, expandFrame, FrameWalker, storeFrame } from './frame.ts'

const contents = [1, 255, 256, 65_535, 65_791, 65_792, 131_072, 131_073, 1_048_576].flatMap((size) => [
  Buffer.alloc(size, 'compressible '),
  randomBytes(size),
])

describe('zstd frames', () => {
  it('carry their content size however they were made, and come back', async () => {
    for (const content of contents) {
      for (const frame of [
        await compressFrame(content, 1),
        compressFrameSync(content, 3),
        storeFrame(content),
      ]) {
        assert.deepEqual(await expandFrame(frame, content.length, 'it'), content)
        assert.deepEqual(zstdDecompressSync(frame), content)
        await assert.rejects(expandFrame(frame, content.length - 1, 'it'), { code: 'CONTENTS_DISAGREE' })
      }
    }
  })

  it('are the same from the thread pool as from the one pass that zstd makes of a whole buffer', async () => {
    for (const content of contents)
      assert.deepEqual(await compressFrame(content, 1), compressFrameSync(content, 1))
  })

  it('are counted to their last byte, in whatever pieces they come', () => {
    const frames = [contents[3], contents[8], contents[1]].map((content) =>
      zstdCompressSync(content ?? Buffer.alloc(0)),
    )
    const all = Buffer.concat(frames)
    for (const size of [1, 2, 7, 1_000, all.length]) {
      const walker = new FrameWalker()
      for (let at = 0; at < all.length; at += size) {
        assert.equal(walker.push(all.subarray(at, at + size)), undefined)
        if (at + size < all.length) assert.ok(walker.frames < 3)
      }
      assert.equal(walker.frames, 3)
      assert.ok(walker.complete)
    }
    const cut = new FrameWalker()
    cut.push(all.subarray(0, -1))
    assert.ok(!cut.complete)
  })
})
