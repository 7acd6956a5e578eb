import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { configJsonSchema } from './json-schema.ts'

const schema = configJsonSchema({
  sourceOptions: { files: z.object({ path: z.string().describe('A folder') }) },
  targetOptions: { local: z.object({ path: z.string() }) },
  profiles: ['generic'],
  grounds: ['backups'],
})

test('the schema knows every kind with its own keys, and refuses others', () => {
  const { properties, additionalProperties, required } = schema
  assert.equal(additionalProperties, false)
  assert.deepEqual(required, ['version', 'app', 'sources', 'targets'])
  const { sources } = properties as { sources: { items: { oneOf: { properties: object }[] } } }
  const [files] = sources.items.oneOf
  assert.deepEqual(Object.keys(files?.properties ?? {}).toSorted(), ['kind', 'name', 'path'])
})

test('an editor takes a reference where the text has a pattern', () => {
  const { app } = (schema as { properties: { app: { pattern: string } } }).properties
  const pattern = new RegExp(app.pattern)
  for (const [text, fits] of [
    ['notes', true],
    ['Notes', false],
    ['${APP:-notes}', true],
  ] as const)
    assert.equal(pattern.test(text), fits)
})
