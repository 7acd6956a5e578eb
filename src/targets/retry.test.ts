import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'

import { faultyTarget, systemError, systemFailure } from '../../test/support/faulty-target.ts'
import type { Fault } from '../../test/support/faulty-target.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { content, hasCode, listed, put, sample } from '../../test/support/stored.ts'
import { targetSuite } from '../../test/suites/target.ts'
import { SealiftError } from '../errors.ts'
import type { Patience } from './retry.ts'
import { mayPass, retrying } from './retry.ts'
import type { StoredReader, Target } from './target.ts'

/** Patience whose clock moves when it sleeps. */
function patience(change: Partial<Patience> = {}): Patience & { readonly waits: number[] } {
  const waits: number[] = []
  let clock = 0
  return {
    waits,
    tries: 5,
    first: 1000,
    longest: 60_000,
    enough: 600_000,
    now: () => clock,
    random: () => 0.5,
    async sleep(ms) {
      waits.push(ms)
      clock += ms
    },
    ...change,
  }
}

const under = (wrap: (inner: Target) => Target) => async () => {
  const inner = memoryTarget()
  return {
    target: wrap(inner),
    residue: async () => [...inner.objects.keys()].toSorted(),
    async [Symbol.asyncDispose]() {},
  }
}

/**
 * Every operation that may be repeated fails at its first, second and fourth call; but `remove`, after whose failure
 * nobody can tell an archive that it removed from one that never was.
 */
const faults = (['list', 'open', 'create', 'replace', 'sweep', 'free', 'read', 'stream'] as const).flatMap(
  (on) => [1, 2, 4].map((nth): Fault => ({ on, nth, code: 'ECONNRESET' })),
)

targetSuite(
  'memory, with patience',
  under((inner) => retrying(inner, patience())),
  { free: false },
)
targetSuite(
  'faulty, with patience',
  under((inner) => retrying(faultyTarget(inner, faults), patience())),
  { free: false },
)

test('waits double up to the longest, and each is shortened at random', async () => {
  const all: Fault[] = [{ on: 'sweep', code: 'ETIMEDOUT' }]
  for (const [random, expected] of [
    [0, [500, 1000, 2000, 2500, 2500]],
    [0.5, [750, 1500, 3000, 3750, 3750]],
    [0.999, [999.5, 1999, 3998, 4997.5, 4997.5]],
  ] as const) {
    const calm = patience({ tries: 6, longest: 5000, random: () => random })
    await assert.rejects(
      retrying(faultyTarget(memoryTarget(), all), calm).sweep(),
      hasCode('TARGET_UNAVAILABLE'),
    )
    assert.deepEqual(calm.waits, expected)
  }
})

test('no further try is begun once it has taken long enough', async () => {
  const calm = patience({ tries: 1000, enough: 4000 })
  const target = faultyTarget(memoryTarget(), [{ on: 'open', code: 'ETIMEDOUT' }])
  await assert.rejects(retrying(target, calm).open('a.sealift'), hasCode('TARGET_UNAVAILABLE'))
  assert.deepEqual(calm.waits, [750, 1500, 3000])
  assert.equal(target.calls.get('open'), 4)
})

test('what will not pass is not tried again', async () => {
  for (const code of ['ENOSPC', 'EACCES', 'EIO', 'EROFS']) {
    const calm = patience()
    const target = faultyTarget(memoryTarget(), [{ on: 'create', nth: 1, code }])
    await assert.rejects(retrying(target, calm).create('a.sealift'), hasCode('TARGET_UNAVAILABLE'))
    assert.deepEqual(calm.waits, [])
  }
  const calm = patience()
  const target = retrying(memoryTarget(), calm)
  await put(target, 'a.sealift', sample(1))
  await assert.rejects(target.create('a.sealift'), hasCode('OBJECT_EXISTS'))
  await assert.rejects(target.open('b.sealift'), hasCode('OBJECT_NOT_FOUND'))
  assert.deepEqual(calm.waits, [])
})

test('the driver’s own word decides over the code of the system', () => {
  const failed = (transient: boolean | undefined, code: string) =>
    new SealiftError(
      'TARGET_UNAVAILABLE',
      { target: 'far', operation: 'list', reason: code, ...(transient === undefined ? {} : { transient }) },
      systemError(code),
    )
  assert.equal(mayPass(failed(true, 'EIO')), true)
  assert.equal(mayPass(failed(false, 'ECONNRESET')), false)
  assert.equal(mayPass(failed(undefined, 'ECONNRESET')), true)
  assert.equal(mayPass(failed(undefined, 'EIO')), false)
  assert.equal(mayPass(systemError('ECONNRESET')), false)
  const denied = { target: 'far', operation: 'list', reason: 'ExpiredToken' }
  assert.equal(mayPass(new SealiftError('TARGET_DENIED', denied)), false)
})

test('a write that broke is not repeated: what was written of it cannot be had again', async () => {
  for (const fault of [
    { on: 'commit', nth: 1, code: 'ECONNRESET' },
    { on: 'write', nth: 1, afterBytes: 500, code: 'ECONNRESET' },
  ] as const) {
    const calm = patience()
    const inner = memoryTarget()
    const target = retrying(faultyTarget(inner, [fault]), calm)
    await assert.rejects(put(target, 'a.sealift', sample(1000)), hasCode('TARGET_UNAVAILABLE'))
    assert.deepEqual(calm.waits, [])
    assert.equal(inner.objects.size, 0)
  }
})

test('a stream that breaks half-way is read on from the byte that was reached', async () => {
  const bytes = sample(3_000_000)
  const inner = memoryTarget()
  await put(inner, 'a.sealift', bytes)
  for (const breakAt of [0, 1, 65_536, 1_500_000, 2_999_999]) {
    const asked: number[] = []
    const breaking: Target = {
      ...inner,
      async open(name, signal) {
        return breakingReader(await inner.open(name, signal), breakAt, asked)
      },
    }
    const calm = patience()
    const whole = await content(retrying(breaking, calm), 'a.sealift')
    assert.ok(whole.equals(bytes), `broken at ${breakAt}`)
    assert.equal(calm.waits.length, 1)
    assert.equal(asked[0], breakAt)
  }
})

test('a listing that breaks half-way names every archive once', async () => {
  const inner = memoryTarget()
  for (const name of ['a.sealift', 'b.sealift', 'c.sealift']) await put(inner, name, sample(1))
  let listings = 0
  const breaking: Target = {
    ...inner,
    async *list(signal) {
      listings += 1
      let named = 0
      for await (const object of inner.list(signal)) {
        if (named++ === listings) throw systemFailure('memory', 'list', 'ECONNRESET')
        yield object
      }
    },
  }
  assert.deepEqual(await listed(retrying(breaking, patience())), ['a.sealift', 'b.sealift', 'c.sealift'])
  assert.equal(listings, 3)
})

test('a removal is tried again, and one whose answer was lost has succeeded', async () => {
  const inner = memoryTarget()
  await put(inner, 'a.sealift', sample(1))
  let removals = 0
  const losing: Target = {
    ...inner,
    async remove(name, signal) {
      await inner.remove(name, signal)
      if (removals++ === 0) throw systemFailure('memory', 'remove', 'ECONNRESET')
    },
  }
  await retrying(losing, patience()).remove('a.sealift')
  assert.equal(inner.objects.size, 0)
  await put(inner, 'b.sealift', sample(1))
  const failing = faultyTarget(inner, [{ on: 'remove', nth: 1, code: 'ECONNRESET' }])
  await retrying(failing, patience()).remove('b.sealift')
  assert.equal(inner.objects.size, 0)
  await assert.rejects(retrying(inner, patience()).remove('b.sealift'), hasCode('OBJECT_NOT_FOUND'))
})

test('an abort ends the waiting with its reason', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const target = faultyTarget(memoryTarget(), [{ on: 'open', code: 'ECONNRESET' }])
  const calm = patience({
    async sleep(_ms, signal) {
      abort.abort(reason)
      signal?.throwIfAborted()
    },
  })
  await assert.rejects(retrying(target, calm).open('a.sealift', abort.signal), (error) => error === reason)
  assert.equal(target.calls.get('open'), 1)
  await assert.rejects(
    buffer(Readable.from(retrying(memoryTarget(), calm).list(abort.signal))),
    (error) => error === reason,
  )
})

/** A reader whose stream gives so many bytes and then fails; `asked` collects the offsets of later reads. */
function breakingReader(reader: StoredReader, breakAt: number, asked: number[]): StoredReader {
  return {
    ...reader,
    name: reader.name,
    size: reader.size,
    async read(offset, length) {
      asked.push(offset)
      return await reader.read(offset, length)
    },
    stream() {
      const pieces = async function* () {
        for (let at = 0; at < breakAt; at += 65_536)
          yield await reader.read(at, Math.min(65_536, breakAt - at))
        throw systemFailure('memory', 'read', 'ECONNRESET')
      }
      return Readable.from(pieces(), { objectMode: false })
    },
    [Symbol.asyncDispose]: async () => await reader[Symbol.asyncDispose](),
  }
}
