import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'

import { content, digest, hasCode, listed, objects, put, sample } from '../support/stored.ts'
import type { Holds } from './target.ts'

/** Listing, reading and removing. */
export function targetReading(holds: Holds): void {
  holds('an empty archive and an empty target are no special case', async (target) => {
    assert.deepEqual(await listed(target), [])
    await put(target, 'a.sealift', sample(0))
    assert.equal((await objects(target))[0]?.size, 0)
    assert.deepEqual(await content(target, 'a.sealift'), sample(0))
    await using reader = await target.open('a.sealift')
    assert.equal((await reader.read(0, 10)).length, 0)
  })

  holds('list names every archive', async (target) => {
    const names = Array.from(
      { length: 40 },
      (_, index) => `app-${index}.${index % 2 === 0 ? 'sealift' : 'tar.gz.gpg'}`,
    )
    for (const name of names) await put(target, name, sample(1))
    assert.deepEqual(await listed(target), names.toSorted())
  })

  holds('any range is read, fewer bytes only at the end', async (target) => {
    const bytes = sample(2 * 1024 * 1024 + 11)
    await put(target, 'a.sealift', bytes)
    await using reader = await target.open('a.sealift')
    assert.equal(reader.name, 'a.sealift')
    assert.equal(reader.size, bytes.length)
    const mebibyte = 1024 * 1024
    const starts = [0, 1, mebibyte - 1, mebibyte, bytes.length - 1, bytes.length, bytes.length + 10]
    for (const start of starts) {
      for (const length of [0, 1, 2, mebibyte, bytes.length + 1]) {
        const expected = bytes.subarray(start, start + length)
        assert.ok((await reader.read(start, length)).equals(expected), `${length} bytes from ${start}`)
      }
    }
    const several = await Promise.all([reader.read(5, 5), reader.read(mebibyte, 7), reader.read(0, 3)])
    assert.deepEqual(several, [
      bytes.subarray(5, 10),
      bytes.subarray(mebibyte, mebibyte + 7),
      bytes.subarray(0, 3),
    ])
  })

  holds('the caller owns the bytes that it reads', async (target) => {
    await put(target, 'a.sealift', sample(100))
    await using reader = await target.open('a.sealift')
    ;(await reader.read(0, 100)).fill(0)
    assert.deepEqual(await reader.read(0, 100), sample(100))
  })

  holds('an aborted stream ends with an error, and the reader still reads', async (target) => {
    await put(target, 'a.sealift', sample(5_000_000))
    await using reader = await target.open('a.sealift')
    const abort = new AbortController()
    const stream = reader.stream(abort.signal)
    await assert.rejects(async () => {
      for await (const chunk of stream) {
        assert.ok(chunk instanceof Uint8Array)
        abort.abort()
      }
    })
    assert.deepEqual(await reader.read(10, 5), sample(5_000_000).subarray(10, 15))
    assert.equal(digest(await buffer(reader.stream())), digest(sample(5_000_000)))
  })

  holds('what is not there cannot be opened, removed or replaced', async (target, under) => {
    await assert.rejects(target.open('a.sealift'), hasCode('OBJECT_NOT_FOUND'))
    await assert.rejects(target.remove('a.sealift'), hasCode('OBJECT_NOT_FOUND'))
    await assert.rejects(target.replace('a.sealift'), hasCode('OBJECT_NOT_FOUND'))
    assert.deepEqual(await under.residue(), [])
  })

  holds('remove takes away one archive and no other', async (target) => {
    for (const name of ['a.sealift', 'b.sealift', 'c.sealift']) await put(target, name, sample(5))
    await target.remove('b.sealift')
    assert.deepEqual(await listed(target), ['a.sealift', 'c.sealift'])
    await assert.rejects(target.open('b.sealift'), hasCode('OBJECT_NOT_FOUND'))
    await put(target, 'b.sealift', sample(6))
    assert.deepEqual(await content(target, 'b.sealift'), sample(6))
  })
}
