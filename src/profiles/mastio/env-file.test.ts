import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differingKeys, firstValueOf, nonEmptyNames, readEnv, valueOf, withKey } from './env-file.ts'
import { checkOddities } from './env-oddities.ts'

test('the first line is what the deploy scripts take, the last assignment what Compose takes', () => {
  const env = readEnv('A=one\n  A=two\nexport A=three\n# A=four\nAB=other\n')
  assert.equal(firstValueOf(env, 'A'), 'one')
  assert.equal(valueOf(env, 'A'), 'three')
  assert.equal(valueOf(env, 'B'), undefined)
  assert.equal(firstValueOf(readEnv(' A=1\n'), 'A'), undefined)
})

test('quotes and comments behind a value are not part of it', () => {
  const env = readEnv('A="x # y" # z\nB=\'it"s\'\nC=a#b # c\nD= # empty\nE="say \\"hi\\""\nF="open\nG=1\r\n')
  const values = ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((key) => valueOf(env, key))
  assert.deepEqual(values, ['x # y', 'it"s', 'a#b', '', 'say "hi"', '"open', '1'])
})

test('a quoted value may go over several lines, and lines inside it are no assignments', () => {
  const env = readEnv('A="-----BEGIN\nB=inside\n-----END"\nC=3\n')
  assert.equal(valueOf(env, 'A'), '-----BEGIN\nB=inside\n-----END')
  assert.equal(valueOf(env, 'B'), undefined)
  assert.equal(env.assignments.at(-1)?.line, 4)
})

test('names of variables that have a value are sorted and each named once', () => {
  assert.deepEqual(nonEmptyNames(readEnv('Z=1\nA=2\nZ=3\nE=\nL=x\nL=\n')), ['A', 'Z'])
})

test('setting a key changes its value in every assignment and nothing else', () => {
  const text = '# head\r\nA=old # why\r\n export A="old"\r\nB=\u00e4\r\n'
  const changed = withKey(text, 'A', 'new')
  assert.equal(changed, '# head\r\nA=new # why\r\n export A=new\r\nB=\u00e4\r\n')
  assert.equal(withKey('B=1', 'A', 'x'), 'B=1\nA=x\n')
  assert.equal(withKey('', 'A', ''), 'A=\n')
  assert.equal(withKey('A=\nB=2\n', 'A', '1'), 'A=1\nB=2\n')
  assert.throws(() => withKey('A=1\n', 'A', 'two words'), { code: 'USAGE' })
  assert.throws(() => withKey('A=1\n', 'A', '$(reboot)'), { code: 'USAGE' })
})

test('keys that differ are named, also those in one file only, and comments and order do not count', () => {
  const a = readEnv('A=1\nB=2\nC=3\n')
  const b = readEnv('# other\nC="3"\nB=4\nD=5\n')
  assert.deepEqual(differingKeys(a, b), ['A', 'B', 'D'])
  assert.deepEqual(differingKeys(a, a), [])
})

const odd: [string, string, RegExp][] = [
  ['env-duplicate', 'A=1\nB=2\nA=3\n', /A \(lines 1, 3\)/],
  ['env-quotes', 'A="s3cret"\n', /: A$/],
  ['env-dollar', 'A=s3cret$B\n', /: A$/],
  ['env-export', 'export A=s3cret\n', /: A$/],
  ['env-form', '  A=s3cret\n', /: A$/],
  ['env-crlf', 'A=s3cret\r\n', /CRLF/],
  ['env-bom', '\uFEFFA=s3cret\n', /byte order mark/],
]
for (const [check, text, detail] of odd) {
  test(`what the three readers do not read alike is named: ${check}`, () => {
    const [found, ...others] = checkOddities(readEnv(text))
    assert.deepEqual(others, [])
    assert.equal(found?.check, check)
    assert.equal(found.class, 'attention')
    assert.match(found.detail, detail)
    assert.doesNotMatch(found.detail, /s3cret/)
  })
}

test('a plain file has no oddity', () => {
  assert.deepEqual(checkOddities(readEnv('# A="x"\n\nA=1\nB=\n')), [])
})
