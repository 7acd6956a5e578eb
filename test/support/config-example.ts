import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Config, Problem } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ConfigInput } from '../../src/config/load.ts'
import { isSealiftError } from '../../src/errors.ts'
import { globs as reader } from '../../src/sources/globs.ts'

export const recipient = `sealift-recipient-v1:${'A'.repeat(1622)}`
const globs = z.array(z.string().min(1)).optional()
export const input: ConfigInput = {
  path: '/srv/notes/sealift.yaml',
  env: {},
  sourceOptions: {
    sqlite: z.object({ path: z.string().min(1), timeout: z.number().positive().max(3600).default(120) }),
    files: z.object({ path: z.string().min(1), include: globs, exclude: globs }),
  },
  targetOptions: { local: z.object({ path: z.string().min(1) }) },
  profiles: ['generic', 'mastio'],
  grounds: ['backups', 'drills'],
  globs: reader,
  defaultStateDir: '/var/lib/sealift',
}

export const sound = `version: 1
app: notes
sources:
  - { name: db, kind: sqlite, path: app/app.db }
targets:
  - { name: local, kind: local, path: ./archives }
seal:
  passphrase_file: ./passphrase
`

export function load(text: string, more: Partial<ConfigInput> = {}): Config {
  return loadConfig({ ...input, ...more, text })
}

export function problems(text: string, more: Partial<ConfigInput> = {}): readonly Problem[] {
  try {
    load(text, more)
  } catch (error) {
    if (isSealiftError(error, 'CONFIG_INVALID')) return error.data.problems
    throw error
  }
  return []
}

/** Exactly one problem, as one line of text. */
export function problem(text: string, more: Partial<ConfigInput> = {}): string {
  const found = problems(text, more)
  assert.equal(found.length, 1, JSON.stringify(found, undefined, 1))
  return found.map(({ line, what, fix }) => `${line}: ${what} (${fix})`).join()
}

export const add = (lines: string): string => `${sound}${lines}\n`
export const swap = (from: string, to: string): string => {
  assert.ok(sound.includes(from))
  return sound.replace(from, to)
}
