import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealiftError, SealiftError } from '../errors.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import type { Target } from '../targets/target.ts'
import { isNamedFor, readInventory } from './inventory.ts'

const ctx = engineContext('/nonexistent')

function dead(name: string): Target {
  const failure = new SealiftError('TARGET_UNAVAILABLE', {
    target: name,
    operation: 'list',
    reason: 'no route to host',
  })
  const target = memoryTarget(name)
  // eslint-disable-next-line require-yield -- it fails before it has anything
  target.list = async function* list() {
    throw failure
  }
  return target
}

test('a target that is down does not hide what the others hold', async () => {
  const alive = memoryTarget('disk')
  const { archives, unavailable } = await readInventory(ctx, [dead('far'), alive])
  assert.deepEqual(archives, [])
  assert.deepEqual(
    unavailable.map(({ target, error }) => [target, error.code]),
    [['far', 'TARGET_UNAVAILABLE']],
  )
})

test('when no target answers, that is the error', async () => {
  await assert.rejects(
    readInventory(ctx, [dead('far'), dead('near')]),
    (error) => isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.target === 'far',
  )
})

test('only the names that a backup gives count as archives of an application', () => {
  assert.ok(isNamedFor('notes-20260101T000000Z.sealift', 'notes'))
  assert.ok(isNamedFor('notes-20260101T000000Z-2.sealift', 'notes'))
  for (const other of [
    'notes-old-20260101T000000Z.sealift',
    'notes.sealift',
    'xnotes-20260101T000000Z.sealift',
  ]) {
    assert.ok(!isNamedFor(other, 'notes'), other)
  }
})
