import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { guards } from '../../src/profiles/mastio/guards.ts'

const root = path.resolve(import.meta.dirname, '../..')
const page = readFileSync(path.join(root, 'docs/profiles/mastio.md'), 'utf8')

/** Where the findings of a backup and of a restore are made. */
const files = [
  'bundle',
  'bundle-checks',
  'ca-mode',
  'certificate-checks',
  'examine',
  'schema-check',
  'predecessor',
  'facts-compare',
  'version-check',
  'arrange',
  'arrange-env',
  'env-checks',
  'env-urls',
  'env-references',
  'env-oddities',
  'license',
]
const classes = ['hard', 'fail', 'attention', 'note']
const made =
  /\b(?:finding|report)\(\s*(?:'(?:hard|fail|attention|note)',|[\w.=?&|': ]+,)?\s*'([a-z][a-z-]+)',/g

const words = new Set(
  files.flatMap((name) => {
    const text = readFileSync(path.join(root, `src/profiles/mastio/${name}.ts`), 'utf8')
    return [...text.matchAll(made)].map((match) => match[1] ?? '').filter((word) => !classes.includes(word))
  }),
)

test('every word that a finding is accepted by is on the page of the application', () => {
  assert.ok(words.size > 55, [...words].join(' '))
  const missing = [...words].filter((word) => !page.includes(`\`${word}\``))
  assert.deepEqual(missing, [])
})

test('every word in the tables of the page is that of a finding or a guard', () => {
  const rows = [...page.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((row) => [
    ...(row[1] ?? '').matchAll(/`([^`]+)`/g),
  ])
  const sources = ['data', 'data-files', 'nginx-certs', 'certs', 'saml-keys', 'config']
  const known = new Set([...words, ...guards.map(({ name }) => name), ...sources])
  assert.deepEqual(
    rows.map((match) => match[1] ?? '').filter((word) => !known.has(word)),
    [],
  )
})
