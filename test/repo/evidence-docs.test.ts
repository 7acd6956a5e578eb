import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { breachNames } from '../../src/engine/breaches.ts'
import { grounds } from '../../src/profiles/controls.ts'

const docs = path.resolve(import.meta.dirname, '../../docs')
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map((row) => row[1] ?? '')

test('docs/evidence.md has every breach, and no other', () => {
  const page = readFileSync(path.join(docs, 'evidence.md'), 'utf8')
  assert.deepEqual(firstCells(page.split('## The report')[1] ?? ''), [...breachNames])
  assert.deepEqual(firstCells(page.split('## The log')[0] ?? ''), [
    'find',
    'fetch',
    'open',
    'restore',
    'check',
  ])
})

test('docs/config.md has every ground that a control can rest on, and no other', () => {
  const page = readFileSync(path.join(docs, 'config.md'), 'utf8')
  const row = /^\| `controls.rests_on` \|.*$/m.exec(page)?.[0] ?? ''
  const named = [...row.matchAll(/`([a-z-]+)` \(/g)].map((match) => match[1])
  assert.deepEqual(named, [...grounds])
})
