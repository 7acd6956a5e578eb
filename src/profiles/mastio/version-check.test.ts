import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkVersion } from './version-check.ts'

const cases: [string | undefined, string | undefined, string][] = [
  ['0.4.4', '0.4.4', 'none'],
  ['0.4.4', 'v0.4.4', 'none'],
  ['0.4', '0.4.0', 'none'],
  ['0.4.4', '0.4.3', 'hard'],
  ['0.10.0', '0.9.9', 'hard'],
  ['0.4.4', '0.4.4-rc1', 'hard'],
  ['0.4.4', '0.10.0', 'note'],
  ['0.4.4', '1', 'note'],
  ['0.4.4', 'latest', 'attention'],
  ['0.4.4', undefined, 'attention'],
  ['latest', '0.4.4', 'attention'],
  [undefined, '0.4.4', 'attention'],
]
for (const [archive, deployed, expected] of cases) {
  test(`version ${deployed ?? 'unknown'} over an archive of ${archive ?? 'unknown'}: ${expected}`, () => {
    assert.equal(checkVersion(archive, deployed)[0]?.class ?? 'none', expected)
  })
}
