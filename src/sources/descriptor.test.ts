import assert from 'node:assert/strict'
import { open, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { testFolder } from '../../test/support/tree-folder.ts'
import { readDescriptor, readSize } from './descriptor.ts'

const never = new AbortController().signal

for (const size of [0, 1, readSize - 1, readSize, readSize + 1, 3 * readSize + 7]) {
  test(`${size} bytes come whole, in pieces of 1 MiB at most, and no more than asked for`, async () => {
    await using folder = await testFolder()
    const bytes = Buffer.alloc(size + 100, 'some content that is not the same everywhere; ')
    await writeFile(folder.join('f'), bytes)
    await using handle = await open(folder.join('f'))
    const pieces: Buffer[] = []
    for await (const piece of readDescriptor(handle, size, never)) {
      assert.ok(piece.length > 0 && piece.length <= readSize)
      pieces.push(Buffer.from(piece))
    }
    assert.ok(Buffer.concat(pieces).equals(bytes.subarray(0, size)))
  })
}

test('a shorter file ends early, and a reader may stop', async () => {
  await using folder = await testFolder()
  await writeFile(folder.join('f'), Buffer.alloc(2.5 * readSize))
  await using handle = await open(folder.join('f'))
  let length = 0
  for await (const piece of readDescriptor(handle, 9 * readSize, never)) length += piece.length
  assert.equal(length, 2.5 * readSize)
  for await (const piece of readDescriptor(handle, 2 * readSize, never)) if (piece.length > 0) break
  const reason = new Error('stopped')
  await assert.rejects(Array.fromAsync(readDescriptor(handle, readSize, AbortSignal.abort(reason))), reason)
})
