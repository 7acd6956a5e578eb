import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Target } from '../../src/targets/target.ts'
import { content, hasCode, listed, objects, put, sample } from '../support/stored.ts'
import { targetReading } from './target-reading.ts'
import { targetWriting } from './target-writing.ts'

/** A fresh, empty target and what the suite must know of its place. Disposed after each test. */
export interface TargetUnderTest extends AsyncDisposable {
  readonly target: Target
  /** Every name at the place, hidden and unfinished ones included. */
  residue(): Promise<string[]>
}

/** What a kind of target can do: declared here, and tested as declared. */
export interface TargetCapabilities<T extends TargetUnderTest> {
  /** Whether `free()` tells a number, and TARGET_FULL can be. */
  readonly free: boolean
  /**
   * Leaves at the place what a process that is killed while it writes this archive leaves, after the process is gone.
   * Absent where nothing can outlive the process.
   */
  readonly killedWriter?: (under: T, name: string) => Promise<void>
}

/** Registers one behaviour as a test on a fresh target. */
export type Holds<T extends TargetUnderTest = TargetUnderTest> = (
  behaviour: string,
  check: (target: Target, under: T) => Promise<void>,
) => void

/** The contract of src/targets/target.ts. Every kind of target passes it. */
export function targetSuite<T extends TargetUnderTest>(
  kind: string,
  makeTarget: () => Promise<T>,
  capabilities: TargetCapabilities<T>,
): void {
  void describe(`target ${kind}`, () => {
    const holds: Holds<T> = (behaviour, check) => {
      void test(behaviour, async () => {
        await using under = await makeTarget()
        await check(under.target, under)
      })
    }
    targetWriting(holds)
    targetReading(holds)
    targetSweep(holds, capabilities)
    targetRefusals(holds, capabilities)
  })
}

function targetSweep<T extends TargetUnderTest>(holds: Holds<T>, capabilities: TargetCapabilities<T>): void {
  holds('a sweep leaves finished archives and living writers alone', async (target) => {
    await put(target, 'a.sealift', sample(5))
    await using writer = await target.create('b.sealift')
    writer.stream.write(sample(100_000))
    await using replacement = await target.replace('a.sealift')
    replacement.stream.write(sample(6))
    assert.deepEqual(await target.sweep(), [])
    writer.stream.write(sample(5))
    assert.equal((await writer.commit()).size, 100_005)
    await replacement.commit()
    assert.deepEqual(await content(target, 'a.sealift'), sample(6))
  })

  const { killedWriter } = capabilities
  if (killedWriter !== undefined) {
    holds('a sweep removes what a killed writer left, which was never visible', async (target, under) => {
      await put(target, 'a.sealift', sample(5))
      await killedWriter(under, 'b.sealift')
      assert.deepEqual(await listed(target), ['a.sealift'])
      await assert.rejects(target.open('b.sealift'), hasCode('OBJECT_NOT_FOUND'))
      assert.ok((await under.residue()).length > 1)
      assert.ok((await target.sweep()).length > 0)
      assert.deepEqual(await under.residue(), ['a.sealift'])
      assert.deepEqual(await target.sweep(), [])
    })
  }
}

function targetRefusals<T extends TargetUnderTest>(
  holds: Holds<T>,
  capabilities: TargetCapabilities<T>,
): void {
  holds('a name that is none is refused by every operation', async (target, under) => {
    const names = [
      '',
      'a',
      '.sealift',
      '.a.sealift',
      '-a.sealift',
      '../a.sealift',
      'a/b.sealift',
      'a.gpg',
      'a.tar.gz',
      '.tar.gz.gpg',
      'a-tar.gz.gpg',
      'ä.sealift',
    ]
    for (const name of [
      ...names,
      'a b.sealift',
      'a\0.sealift',
      'a\n.sealift',
      `${'a'.repeat(190)}.sealift`,
    ]) {
      await assert.rejects(target.create(name), hasCode('TARGET_NAME_INVALID'))
      await assert.rejects(target.open(name), hasCode('TARGET_NAME_INVALID'))
      await assert.rejects(target.replace(name), hasCode('TARGET_NAME_INVALID'))
      await assert.rejects(target.remove(name), hasCode('TARGET_NAME_INVALID'))
    }
    assert.deepEqual(await under.residue(), [])
    const longest = `${'a'.repeat(182)}.sealift`
    await put(target, longest, sample(1))
    assert.deepEqual(await listed(target), [longest])
  })

  holds('an operation whose signal is aborted throws the reason and does nothing', async (target, under) => {
    await put(target, 'a.sealift', sample(5))
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    const isReason = (error: unknown) => error === reason
    await assert.rejects(objects(target, signal), isReason)
    await assert.rejects(target.open('a.sealift', signal), isReason)
    await assert.rejects(target.create('b.sealift', { signal }), isReason)
    await assert.rejects(target.replace('a.sealift', { signal }), isReason)
    await assert.rejects(target.remove('a.sealift', signal), isReason)
    await assert.rejects(target.sweep(signal), isReason)
    assert.deepEqual(await under.residue(), ['a.sealift'])
    assert.deepEqual(await content(target, 'a.sealift'), sample(5))
  })

  holds('free space is as the target declares', async (target, under) => {
    const free = await target.free()
    if (!capabilities.free) {
      assert.equal(free, undefined)
      return
    }
    assert.ok(free !== undefined && free > 0)
    const expectedSize = 2 ** 52
    await assert.rejects(target.create('a.sealift', { expectedSize }), hasCode('TARGET_FULL'))
    assert.deepEqual(await under.residue(), [])
    await put(target, 'a.sealift', sample(5))
    await assert.rejects(target.replace('a.sealift', { expectedSize }), hasCode('TARGET_FULL'))
    assert.deepEqual(await under.residue(), ['a.sealift'])
  })
}
