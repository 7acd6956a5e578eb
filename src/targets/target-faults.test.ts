import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'

import { faultyTarget } from '../../test/support/faulty-target.ts'
import type { Fault } from '../../test/support/faulty-target.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import { content, hasCode, listed, put, sample } from '../../test/support/stored.ts'
import { systemCode } from '../errors.ts'

const faulty = (...faults: readonly Fault[]) => {
  const inner = memoryTarget()
  return { inner, target: faultyTarget(inner, faults) }
}

const unavailable = (code: string) => (error: unknown) =>
  hasCode('TARGET_UNAVAILABLE')(error) && error instanceof Error && systemCode(error.cause) === code

test('the nth call of an operation fails and the others do not', async () => {
  const { target } = faulty({ on: 'create', nth: 2, code: 'EIO' }, { on: 'commit', nth: 2, code: 'ENOSPC' })
  await put(target, 'a.sealift', sample(1))
  await assert.rejects(put(target, 'b.sealift', sample(2)), unavailable('EIO'))
  await assert.rejects(put(target, 'c.sealift', sample(3)), unavailable('ENOSPC'))
  await put(target, 'd.sealift', sample(4))
  assert.deepEqual(await listed(target), ['a.sealift', 'd.sealift'])
  assert.equal(target.calls.get('create'), 4)
})

test('a write fails after so many bytes, for pipeline and commit, and shows nothing', async () => {
  for (const afterBytes of [0, 1, 99_999]) {
    const { inner, target } = faulty({ on: 'write', nth: 1, afterBytes, code: 'ENOSPC' })
    await using writer = await target.create('a.sealift')
    const source = [sample(50_000), sample(50_000)]
    await assert.rejects(pipeline(source, writer.stream), unavailable('ENOSPC'))
    await assert.rejects(writer.commit(), unavailable('ENOSPC'))
    assert.equal(inner.objects.size, 0)
    await put(target, 'a.sealift', sample(100_000))
  }
})

test('an archive is cut or changed for whoever reads it, and is not at its place', async () => {
  const { inner, target } = faulty(
    { on: 'bytes', nth: 1, cutAt: 70_000 },
    { on: 'bytes', nth: 2, flipAt: 65_540 },
  )
  const bytes = sample(100_000)
  await put(inner, 'a.sealift', bytes)
  assert.deepEqual(await content(target, 'a.sealift'), bytes.subarray(0, 70_000))
  const flipped = Buffer.from(bytes)
  flipped.writeUInt8(bytes.readUInt8(65_540) ^ 1, 65_540)
  {
    await using reader = await target.open('a.sealift')
    assert.deepEqual(await reader.read(65_539, 3), flipped.subarray(65_539, 65_542))
    assert.deepEqual(Buffer.concat(await Array.fromAsync(reader.stream())), flipped)
  }
  assert.deepEqual(await content(target, 'a.sealift'), bytes)
})

test('a listing hides and invents', async () => {
  const ghost = { name: 'ghost.sealift', size: 5, modifiedAt: new Date(0) }
  const { target } = faulty({ on: 'listing', hide: ['a.sealift'], show: [ghost] })
  await put(target, 'a.sealift', sample(1))
  await put(target, 'b.sealift', sample(1))
  assert.deepEqual(await listed(target), ['b.sealift', 'ghost.sealift'])
  await assert.rejects(target.open('ghost.sealift'), hasCode('OBJECT_NOT_FOUND'))
})

test('a call waits for what it is told to wait for', async () => {
  const gate = Promise.withResolvers<void>()
  const { inner, target } = faulty({ on: 'commit', nth: 1, after: gate.promise })
  const written = put(target, 'a.sealift', sample(1))
  await put(target, 'b.sealift', sample(1))
  assert.deepEqual([...inner.objects.keys()], ['b.sealift'])
  gate.resolve()
  await written
  assert.deepEqual([...inner.objects.keys()], ['b.sealift', 'a.sealift'])
})
