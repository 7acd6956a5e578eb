import assert from 'node:assert/strict'
import { test } from 'node:test'
import { add, problem, recipient, swap } from '../../test/support/config-example.ts'

/** Ten, a hundred, a thousand, … */
const multiplying = ['a', 'b', 'c', 'd', 'e']
  .map(
    (name, index, all) =>
      `${name}: &${name} [${Array.from({ length: 10 }, () => (index === 0 ? 'x' : `*${all[index - 1]}`)).join()}]`,
  )
  .join('\n')

const refused: readonly [behaviour: string, text: string, problem: RegExp][] = [
  ['an empty file', '', /^undefined: the file is empty \(`sealift init`/],
  ['a file of comments', '# nothing\n', /the file is empty/],
  ['a list', '- version: 1\n', /^1: the file is a list/],
  ['a single value', 'notes\n', /^1: the file is one value/],
  ['a tab as indent', 'seal:\n\tcompression: none\n', /^2: not valid YAML: Tabs.*indent with spaces/],
  ['an open quote', 'app: "notes\n', /not valid YAML: Missing closing "quote/],
  [
    'a bare reference in braces',
    swap('app/app.db', '${DATA}/app.db'),
    /^4: not valid YAML: .*in quotes when/,
  ],
  ['a second document', add('---\napp: other'), /^9: not valid YAML: .*multiple documents/],
  ['a tag', swap('app: notes', 'app: !secret notes'), /^2: not understood: Unresolved tag: !secret/],
  ['an alias without an anchor', swap('app: notes', 'app: *notes'), /^2: the alias \*notes names no anchor/],
  [
    'an alias inside its own anchor',
    add('retention: &a { keep_last: *a }'),
    /^9: the alias \*a stands inside what/,
  ],
  ['aliases that multiply', add(multiplying), /^undefined: not valid YAML: Excessive alias count/],
  ['nesting beyond reason', '['.repeat(20_000), /^1: not valid YAML: it is nested too deeply/],
  ['a key that is no word', add('? [1]\n: 2'), /^9: a key is not a word/],
  ['a key that stands twice', add('app: notes'), /^9: `app` stands here a second time \(first on line 2\)/],
  [
    'a nested key that stands twice',
    add('  passphrase_file: ./other'),
    /^9: `passphrase_file` stands here a second time \(first on line 8\)/,
  ],
  ['a key without a value', add('retention:'), /^9: `retention` has no value/],
  ['retention that keeps nothing', add('retention: { keep_last: 0 }'), /^9: `retention` keeps nothing/],
  [
    'an unknown key without a near one',
    add('colour: red'),
    /^9: `colour` is an unknown key \(known here: version, app,/,
  ],
  ['the key __proto__', add('__proto__: { app: x }'), /^9: `__proto__` is an unknown key/],
  [
    'a passphrase',
    add('  passphrase: hunter2 hunter2'),
    /^9: `seal.passphrase`: a secret must not.*passphrase_file/,
  ],
  ['a passphrase at the top', add('passphrase: hunter2'), /^9: `passphrase`: a secret must not stand/],
  [
    'a source without a kind',
    swap(' kind: sqlite,', ''),
    /^4: `sources.db.kind` is missing \(add `kind`: sqlite, files\)/,
  ],
  [
    'a source without a path',
    swap(', path: app/app.db', ''),
    /^4: `sources.db.path` is missing \(add `path: …`\)/,
  ],
  ['an empty path', swap('app/app.db', '""'), /^4: `sources.db.path` is empty/],
  [
    'a source that is a word',
    swap('{ name: db, kind: sqlite, path: app/app.db }', 'db'),
    /^4: `sources\[0\]` is text, and must be a group/,
  ],
  [
    'a number in quotes',
    swap('app/app.db', 'app/app.db, timeout: "5"'),
    /`sources.db.timeout` is text, and must be a number/,
  ],
  [
    'a number that is too large',
    swap('app/app.db', 'app/app.db, timeout: 5000'),
    /is 5000, and must be at most 3600/,
  ],
  [
    'a source name with a slash',
    swap('name: db', 'name: a/b'),
    /^4: `sources.a\/b.name`: "a\/b" must be 1 to 63/,
  ],
  [
    'a source named as a member of each archive',
    swap('name: db', 'name: MANIFEST.json'),
    /^4: .*"MANIFEST.json"/,
  ],
  [
    'an unknown profile',
    add('profile: mastoi'),
    /^9: `profile`: "mastoi" is unknown \(did you mean `mastio`/,
  ],
  [
    'a home folder as the shell writes it',
    swap('app/app.db', '~/app.db'),
    /^4: `sources.db.path`: `~` has no meaning/,
  ],
  ['a recipient that is none', add('  recipients: [age1xyz]'), /^9: `seal.recipients\[0\]` is no recipient/],
  [
    'one recipient twice',
    add(`  recipients: ["${recipient}", "${recipient}"]`),
    /^9: .* names one recipient twice/,
  ],
]
for (const [behaviour, text, expected] of refused) {
  test(`refused: ${behaviour}`, () => assert.match(problem(text), expected))
}

test('a secret that stands in the file is never repeated in a message', () => {
  const secret = 'SEALIFT-SECRET-V1:correct-horse'
  for (const text of [
    add(`  passphrase: ${secret}`),
    add(`  recipients: [${secret}]`),
    add(`  recipients: ${secret}`),
    add(`secret: ${secret}`),
  ]) {
    assert.doesNotMatch(problem(text), /correct-horse/)
  }
  assert.match(
    problem(add(`  recipients: [${secret}]`)),
    /secret key, which must never stand.*treat this key as disclosed/,
  )
})
