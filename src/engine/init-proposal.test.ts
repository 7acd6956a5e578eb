import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { readConfig } from '../config/load.ts'
import type { Profile } from '../profiles/profile.ts'
import { filesOptions } from '../sources/files.ts'
import { globs } from '../sources/globs.ts'
import { sqliteOptions } from '../sources/sqlite.ts'
import { localOptions } from '../targets/local.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { init } from './init.ts'
import type { InitInput } from './init.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'sealift-proposal-'))
  folder = path.join(root, 'app')
  await mkdir(folder)
  await writeFile(path.join(folder, 'notes.env'), 'A=1\n')
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

/** Knows an application by a file of its own. */
const notes: Profile = {
  name: 'notes',
  title: 'Notes',
  async propose(at) {
    const known = await readFile(path.join(at, 'notes.env'), 'utf8').catch(() => undefined)
    if (known === undefined) return undefined
    return {
      app: 'acme-notes',
      about: ['Notes, edition\nfor $one'],
      sources: [{ name: 'config', kind: 'files', path: path.join(at, 'notes.env'), why: 'settings' }],
      target: path.join(root, 'archives'),
      passphraseFile: path.join(root, 'pass'),
      retention: { keep_daily: 30 },
      leftOut: [
        { what: 'the key in the vault', why: 'it never leaves it', loud: true },
        { what: path.join(at, 'cache'), why: 'made again', loud: false },
      ],
      findings: [
        { check: 'odd', class: 'attention', detail: 'something is odd' },
        { check: 'aside', class: 'note', detail: 'by the way' },
      ],
    }
  },
}
const generic: Profile = { name: 'generic', title: 'anything' }

function run(more: Partial<InitInput> = {}): ReturnType<typeof init> {
  const ctx = engineContext(path.join(root, 'state'), { profiles: { generic, notes } })
  return init(ctx, { folder, output: path.join(folder, 'sealift.yaml'), force: true, ...more })
}

test('a profile that recognises the application writes the configuration, and says what is left out', async () => {
  const { result, warnings, error } = await run()
  assert.ok(result, JSON.stringify(error))
  assert.deepEqual(
    [result.app, result.profile, result.target],
    ['acme-notes', 'notes', path.join(root, 'archives')],
  )
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['not-backed-up', 'odd'],
  )
  const text = await readFile(result.path, 'utf8')
  assert.match(text, /^# Notes, edition\?for \$one$/m)
  assert.match(text, /^ {2}# {3}the key in the vault: it never leaves it$/m)
  assert.match(text, /^ {2}# {3}\.\/cache: made again$/m)
  const config = await readConfig({
    path: result.path,
    env: {},
    sourceOptions: { sqlite: sqliteOptions, files: filesOptions },
    targetOptions: { local: localOptions },
    profiles: ['generic', 'notes'],
    grounds: ['backups'],
    globs,
    defaultStateDir: path.join(root, 'state'),
  })
  assert.deepEqual(
    [config.app, config.profile, config.retention],
    ['acme-notes', 'notes', { keep_daily: 30 }],
  )
  assert.deepEqual(
    config.sources.map(({ name, options }) => [name, options['path']]),
    [['config', path.join(folder, 'notes.env')]],
  )
})

test('a name that was given counts, and `generic` looks for itself', async () => {
  assert.equal((await run({ app: 'mine' })).result?.app, 'mine')
  const { result } = await run({ profile: 'generic' })
  assert.deepEqual([result?.app, result?.profile, result?.sources[0]?.name], ['app', 'generic', 'notes.env'])
  assert.equal((await run({ profile: 'notes' })).result?.profile, 'notes')
})

test('a profile that is not known, or finds nothing of its kind, is refused', async () => {
  const unknown = await run({ profile: 'nots' })
  assert.equal(unknown.error?.code, 'USAGE')
  assert.match(unknown.error.message, /there is no profile nots; there are generic, notes/)
  await rm(path.join(folder, 'notes.env'))
  const { error } = await run({ profile: 'notes' })
  assert.match(error?.message ?? '', /app is no Notes/)
  assert.equal((await run()).result?.profile, 'generic')
})
