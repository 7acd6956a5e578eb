import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'

import { content, digest, hasCode, listed, objects, pieces, put, sample } from '../support/stored.ts'
import type { Holds } from './target.ts'

/** Creating and replacing: what is seen when, and what is left of a write that did not end well. */
export function targetWriting(holds: Holds): void {
  holds('an archive appears when it is committed, with its exact bytes', async (target) => {
    const bytes = sample(9 * 1024 * 1024 + 7)
    await using writer = await target.create('a.sealift', { expectedSize: bytes.length })
    await pipeline(pieces(bytes, 700_001), writer.stream, { end: false })
    assert.deepEqual(await listed(target), [])
    await assert.rejects(target.open('a.sealift'), hasCode('OBJECT_NOT_FOUND'))

    const stored = await writer.commit()
    assert.equal(stored.name, 'a.sealift')
    assert.equal(stored.size, bytes.length)
    assert.deepEqual(await objects(target), [stored])
    assert.equal(digest(await content(target, 'a.sealift')), digest(bytes))
  })

  holds('a stream that pipeline() has ended can be committed', async (target) => {
    await using writer = await target.create('a.sealift')
    await pipeline(pieces(sample(100_000), 999), writer.stream)
    await writer.commit()
    assert.equal(digest(await content(target, 'a.sealift')), digest(sample(100_000)))
  })

  holds('a committed archive stays when its writer is disposed', async (target) => {
    await put(target, 'a.sealift', sample(10))
    assert.deepEqual(await listed(target), ['a.sealift'])
  })

  holds('a writer commits once', async (target) => {
    await using writer = await target.create('a.sealift')
    writer.stream.write(sample(10))
    await writer.commit()
    await assert.rejects(writer.commit(), hasCode('BUG'))
    assert.deepEqual(await content(target, 'a.sealift'), sample(10))
  })

  holds('a writer that is left without a commit leaves nothing', async (target, under) => {
    {
      await using writer = await target.create('a.sealift')
      await pipeline(pieces(sample(3_000_000), 100_000), writer.stream)
    }
    assert.deepEqual(await listed(target), [])
    assert.deepEqual(await under.residue(), [])
  })

  holds('a source that fails half-way leaves nothing, and commit refuses', async (target, under) => {
    const failing = async function* () {
      yield sample(100_000)
      throw new Error('the source broke')
    }
    {
      await using writer = await target.create('a.sealift')
      await assert.rejects(pipeline(failing(), writer.stream), /the source broke/)
      await assert.rejects(writer.commit(), hasCode('TARGET_UNAVAILABLE'))
    }
    assert.deepEqual(await listed(target), [])
    assert.deepEqual(await under.residue(), [])
  })

  holds('an abort while writing leaves nothing, and commit throws its reason', async (target, under) => {
    const abort = new AbortController()
    const reason = new Error('enough')
    {
      await using writer = await target.create('a.sealift', { signal: abort.signal })
      writer.stream.write(sample(100_000))
      abort.abort(reason)
      await assert.rejects(writer.commit(), (error) => error === reason)
    }
    assert.deepEqual(await listed(target), [])
    assert.deepEqual(await under.residue(), [])
  })

  holds('a name that is taken is refused before anything is written', async (target) => {
    await put(target, 'a.sealift', sample(10))
    await assert.rejects(target.create('a.sealift'), hasCode('OBJECT_EXISTS'))
    assert.deepEqual(await content(target, 'a.sealift'), sample(10))
  })

  holds('of two writers of one name exactly one wins, and its archive is whole', async (target, under) => {
    for (const turn of [1, 2, 3, 4, 5]) {
      const name = `race-${turn}.sealift`
      const race = async (size: number) => {
        await using writer = await target.create(name)
        await pipeline(pieces(sample(size), 50_000), writer.stream)
        return await writer.commit()
      }
      const ends = await Promise.allSettled([race(200_000 + turn), race(300_000 + turn)])
      const won = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
      const lost = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []))
      assert.equal(won.length, 1)
      assert.ok(hasCode('OBJECT_EXISTS')(lost[0]))
      assert.deepEqual(await content(target, name), sample(won[0]?.size ?? 0))
    }
    assert.equal((await under.residue()).length, 5)
  })

  holds('a replacement is not seen before its commit, and never if it is left', async (target, under) => {
    await put(target, 'a.sealift', sample(50_000))
    {
      await using writer = await target.replace('a.sealift')
      await pipeline(pieces(sample(70_000), 9_000), writer.stream)
      assert.deepEqual(await content(target, 'a.sealift'), sample(50_000))
    }
    assert.deepEqual(await content(target, 'a.sealift'), sample(50_000))
    assert.deepEqual(await under.residue(), ['a.sealift'])

    await using writer = await target.replace('a.sealift', { expectedSize: 70_000 })
    await pipeline(pieces(sample(70_000), 9_000), writer.stream)
    const stored = await writer.commit()
    assert.equal(stored.size, 70_000)
    assert.deepEqual(await content(target, 'a.sealift'), sample(70_000))
    assert.deepEqual(await under.residue(), ['a.sealift'])
  })

  holds('while an archive is replaced, its name is always the old one or the new one', async (target) => {
    const sizes = Array.from({ length: 20 }, (_, turn) => 1_000 + turn)
    await put(target, 'a.sealift', sample(999))
    const replaced = new AbortController()
    const watch = async () => {
      let seen = 0
      while (!replaced.signal.aborted) {
        const bytes = await content(target, 'a.sealift')
        assert.deepEqual(bytes, sample(bytes.length))
        assert.deepEqual(await listed(target), ['a.sealift'])
        seen += 1
        await new Promise(setImmediate)
      }
      return seen
    }
    const replaceAll = async () => {
      for (const size of sizes) {
        await using writer = await target.replace('a.sealift')
        writer.stream.write(sample(size))
        await writer.commit()
      }
    }
    const [seen] = await Promise.all([watch(), replaceAll().finally(() => replaced.abort())])
    assert.ok(seen > 0)
    assert.deepEqual(await content(target, 'a.sealift'), sample(1_019))
  })
}
