import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkVersion } from './version-check.ts'

const cases: [string | undefined, string | undefined, string][] = [
  ['0.4.4', '0.4.4', 'none'],
  ['0.4.4', 'v0.4.4', 'none'],
  ['0.4', '0.4.0', 'none'],
  ['0.4.4', '0.4.3', 'version-older fail'],
  ['0.10.0', '0.9.9', 'version-older fail'],
  ['0.4.4', '0.4.4-rc1', 'version-older fail'],
  ['0.4.4', '0.10.0', 'version-newer note'],
  ['0.4.4', '1', 'version-newer note'],
  ['0.4.4', 'latest', 'version-unknown attention'],
  ['0.4.4', undefined, 'version-unknown attention'],
  ['latest', '0.4.4', 'version-unknown attention'],
  [undefined, '0.4.4', 'version-unknown attention'],
]
for (const [archive, deployed, expected] of cases) {
  test(`version ${deployed ?? 'unknown'} over an archive of ${archive ?? 'unknown'}: ${expected}`, () => {
    const [found] = checkVersion(archive, deployed)
    assert.equal(found === undefined ? 'none' : `${found.check} ${found.class}`, expected)
  })
}
