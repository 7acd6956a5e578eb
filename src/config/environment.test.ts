import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expand } from './environment.ts'

const env = { NAME: 'notes', EMPTY: '', TRICK: '${NAME}', GONE: undefined }

const cases: readonly [value: string, expansion: object][] = [
  ['plain', { text: 'plain' }],
  ['${NAME}', { text: 'notes' }],
  ['/srv/${NAME}/${NAME}.db', { text: '/srv/notes/notes.db' }],
  ['${NAME:-other}', { text: 'notes' }],
  ['${OTHER:-a/b-c:d}', { text: 'a/b-c:d' }],
  ['${OTHER:-}', { text: '' }],
  ['${EMPTY:-filled}', { text: 'filled' }],
  ['${EMPTY}', { text: '' }],
  ['${TRICK}', { text: '${NAME}' }],
  ['$NAME and $', { text: '$NAME and $' }],
  ['$${NAME}', { text: '${NAME}' }],
  ['$$$${NAME}', { text: '$${NAME}' }],
  ['$$${NAME}', { text: '$notes' }],
  ['${OTHER}', { unset: 'OTHER' }],
  ['${GONE}', { unset: 'GONE' }],
  ['${toString}', { unset: 'toString' }],
  ['${NAME', { malformed: '${NAME' }],
  ['${}', { malformed: '${}' }],
  ['${NA ME}', { malformed: '${NA ME}' }],
  ['${NAME-x}', { malformed: '${NAME-x}' }],
  ['${1}', { malformed: '${1}' }],
]
for (const [value, expansion] of cases) {
  test(`${value} expands to ${JSON.stringify(expansion)}`, () =>
    assert.deepEqual(expand(value, env), expansion))
}
