import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemberSet } from './member-set.ts'

describe('the members that were seen', () => {
  it('are known again among tens of thousands, each once', () => {
    const set = new MemberSet()
    for (let at = 0; at < 60_000; at++)
      assert.equal(set.add(`app/${at % 100}/file ${at}`, 'file', undefined), undefined)
    for (const at of [0, 1, 29_999, 59_999]) {
      assert.equal(set.add(`app/${at % 100}/file ${at}`, 'file', undefined), 'its name appears twice')
    }
    assert.equal(set.add('app/link', 'hardlink', 'app/7/file 107'), undefined)
    assert.match(set.add('app/other', 'hardlink', 'app/7/file 108') ?? '', /not an earlier file/)
  })

  it('may have a folder behind what lies in it, once', () => {
    const set = new MemberSet()
    assert.equal(set.add('a/b/c', 'file', undefined), undefined)
    assert.equal(set.add('a/b', 'directory', undefined), undefined)
    assert.equal(set.add('a/b', 'directory', undefined), 'its name appears twice')
    assert.match(set.add('a', 'symlink', '/') ?? '', /other members lie under it/)
    assert.match(set.add('a/b/c/d', 'file', undefined) ?? '', /passes through the file "a\/b\/c"/)
  })
})
