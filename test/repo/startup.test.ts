import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

const src = path.resolve(import.meta.dirname, '../../src')
const imported = /^(?:import|export)\s(?!type\b)[^'"`;]*?from\s*'([^']+)'/gm

/** Everything that is loaded with a file, before a line of it runs. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, to = ''] of readFileSync(file, 'utf8').matchAll(imported)) {
    if (to.startsWith('.')) loadedWith(path.resolve(path.dirname(file), to), seen)
    else seen.add(to)
  }
  return seen
}

test('help needs nothing but the command line: the engine, the drivers and their libraries are loaded by need', () => {
  const loaded = [...loadedWith(path.join(src, 'main.ts'))]
  const packages = loaded.filter((name) => !path.isAbsolute(name) && !name.startsWith('node:'))
  assert.deepEqual(packages, ['commander'])
  const own = loaded.filter((name) => path.isAbsolute(name)).map((name) => path.relative(src, name))
  const others = own.filter((name) => !name.startsWith('cli/'))
  assert.deepEqual(others.sort(), [
    'error-table-archives.ts',
    'error-table.ts',
    'errors.ts',
    'main.ts',
    'secret.ts',
  ])
  assert.ok(own.length > 30)
})
