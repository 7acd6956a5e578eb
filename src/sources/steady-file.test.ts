import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { appendFile, truncate } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun } from '../../test/suites/source.ts'
import { files } from './files.ts'

const big = 9 * 1024 * 1024

suite('a large file that changes while it is read', () => {
  for (const [what, change] of [
    ['grows', (path: string) => appendFile(path, 'more')],
    ['shrinks', (path: string) => truncate(path, 5 * 1024 * 1024 + 5)],
  ] as const) {
    test(`and ${what} keeps the size that it began with, and is warned of`, async () => {
      await using folder = await testFolder()
      await using run = await scratchRun()
      writeFileSync(folder.join('big'), Buffer.alloc(big, 'x'))
      await using snapshot = await files.open('tree', { path: folder.path }).snapshot(run.context)
      let length = 0
      let zeros = 0
      for await (const member of snapshot.members()) {
        for await (const piece of member.content?.() ?? []) {
          if (length === 0) await change(folder.join('big'))
          length += piece.length
          zeros += piece.filter((byte) => byte === 0).length
        }
      }
      assert.equal(length, big)
      assert.equal(zeros, what === 'shrinks' ? big - (5 * 1024 * 1024 + 5) : 0)
      const { warnings } = snapshot.describe()
      assert.deepEqual(
        warnings.map(({ code, path }) => [code, path]),
        [['file-changed', folder.join('big')]],
      )
      assert.match(warnings[0]?.message ?? '', /mixes old and new/)
    })
  }
})
