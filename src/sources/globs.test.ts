import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globs } from './globs.ts'

const cases: readonly [pattern: string, path: string, folder: boolean, matches: boolean][] = [
  ['*.log', 'a.log', false, true],
  ['*.log', 'deep/down/.hidden.log', false, true],
  ['*.log', 'a.log/inside', false, false],
  ['logs', 'var/logs', true, true],
  ['logs/', 'var/logs', true, true],
  ['logs/', 'var/logs', false, false],
  ['var/logs', 'var/logs', true, true],
  ['var/logs', 'srv/var/logs', true, false],
  ['/logs', 'logs', false, true],
  ['/logs', 'var/logs', false, false],
  ['**/cache/**', 'a/cache/b/c', false, true],
  ['cache/**', 'cache', true, false],
  ['cache/**', 'cache/.x', false, true],
  ['*.{pem,key}', 'certs/ca.pem', false, true],
  ['!important', '!important', false, true],
  ['a?b', 'a\nb', false, true],
  ['back\\\\slash', 'back\\slash', false, true],
  ['-*', '-rf', false, true],
  ['bad*', 'bad\ufffd', false, true],
  ['[ab]', 'a', false, true],
]

for (const [pattern, path, folder, matches] of cases) {
  test(`${JSON.stringify(pattern)} ${matches ? 'matches' : 'leaves'} ${folder ? 'folder' : 'file'} ${JSON.stringify(path)}`, () => {
    assert.equal(globs([pattern]).matches(path, folder), matches)
  })
}

test('no pattern matches nothing, and any of several is enough', () => {
  assert.ok(globs([]).empty && !globs([]).matches('a', false))
  assert.ok(!globs(['a', 'b']).empty && globs(['a', 'b']).matches('b', false))
})
