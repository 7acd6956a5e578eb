import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { grounds } from '../../src/profiles/controls.ts'
import { generic } from '../../src/profiles/generic/generic.ts'
import { mastio } from '../../src/profiles/mastio/mastio.ts'
import { filesOptions } from '../../src/sources/files.ts'
import { globs } from '../../src/sources/globs.ts'
import { sqliteOptions } from '../../src/sources/sqlite.ts'
import { localOptions } from '../../src/targets/local.ts'
import { rsyncOptions } from '../../src/targets/rsync-options.ts'
import { s3Options } from '../../src/targets/s3-options.ts'

import { sound } from '../support/config-example.ts'

const root = path.resolve(import.meta.dirname, '../..')
const page = readFileSync(path.join(root, 'docs/config.md'), 'utf8')
const plugs = {
  sourceOptions: { sqlite: sqliteOptions, files: filesOptions },
  targetOptions: { local: localOptions, s3: s3Options, rsync: rsyncOptions },
  grounds,
  profiles: [generic.name, mastio.name],
}
const schema = configJsonSchema(plugs)

/** Every key as the page writes it: `seal.compression`, and `sources.timeout` for a key of any kind of source. */
function keysOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { properties, items, oneOf } = value as Record<string, unknown>
  if (Array.isArray(oneOf)) return oneOf.flatMap((each: unknown) => keysOf(each, prefix))
  if (items !== undefined) return keysOf(items, prefix)
  return Object.entries(properties ?? {}).flatMap(([key, each]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    return [name, ...keysOf(each, name)]
  })
}

test('every key of the configuration is on its page, and every key there exists', () => {
  const rows = page.split('## The environment')[0]?.matchAll(/^\| `([a-z_.]+)` \|/gm) ?? []
  const documented = new Set([...rows].map((row) => row[1] ?? ''))
  assert.deepEqual([...documented].toSorted(), [...new Set(keysOf(schema))].toSorted())
})

test('every default on the page is the schema’s', () => {
  const { properties } = schema as { properties: Record<string, { default?: unknown }> }
  assert.equal(properties['profile']?.default, 'generic')
  assert.match(page, /^\| `profile` .*\| `generic` \|$/m)
  assert.match(page, /^\| `sources.timeout` .*\| `120` \|$/m)
  assert.equal(sqliteOptions.parse({ path: 'a' }).timeout, 120)
  const config = loadConfig({ ...plugs, path: '/a.yaml', text: sound, env: {}, globs, defaultStateDir: '/s' })
  assert.deepEqual(config.objectives, { rpo: 86_400, rto: 900, drillEvery: 92 * 86_400 })
  for (const [key, fallback] of [
    ['rpo', '24h'],
    ['rto', '15m'],
    ['drill_every', '92d'],
  ] as const)
    assert.ok(page.includes(`| \`objectives.${key}\` |`) && page.includes(`at most | \`${fallback}\` |`))
  assert.match(page, /^\| `seal.compression` .*\| `zstd` \|$/m)
})

test('every example on the page is a configuration', () => {
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map((match) => match[1] ?? '')
  assert.equal(examples.length, 7)
  for (const text of examples) {
    const path = '/srv/notes/sealift.yaml'
    const config = loadConfig({ ...plugs, path, text, env: {}, globs, defaultStateDir: '/var/lib/sealift' })
    assert.ok(config.sources.length > 0)
  }
})

test('every variable of the environment that the program reads is on the page', () => {
  const files = ['main.ts', 'config/find.ts', 'cli/keys.ts', 'cli/session.ts', 'cli/style.ts']
  const code = files.map((file) => readFileSync(path.join(root, 'src', file), 'utf8')).join('\n')
  const read = [...code.matchAll(/env\['((?:SEALIFT|CREDENTIALS|STATE|XDG|NO)_[A-Z_]+)'\]/g)].map(
    (match) => match[1],
  )
  assert.ok(read.length > 4)
  for (const name of read) assert.ok(page.includes(name ?? ''), `${name} is not on the page`)
})

test('the schema beside the page is the one that the code makes', () => {
  const file = path.join(root, 'docs/sealift.schema.json')
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), schema, 'write it again: sealift config schema')
})
