import assert from 'node:assert/strict'
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { listTree } from '../../test/support/tree-listing.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { scratchRun } from '../../test/suites/source.ts'
import { files } from './files.ts'

const tree = (path: string): ReturnType<typeof files.open> => files.open('tree', { path })

suite('restored files', () => {
  const never = new AbortController().signal
  const recordedOf = async (source: ReturnType<typeof tree>) => {
    const { facts } = await listTree(source)
    const { name, kind, place } = source
    return { name, kind, place, snapshot_at: '', versions: {}, facts, members: 0, bytes: 0 }
  }

  test('pass with the counts of the manifest and fail without', async () => {
    await using folder = await testFolder()
    mkdirSync(folder.join('in', 'sub'), { recursive: true })
    writeFileSync(folder.join('in', 'sub', 'a'), 'text')
    linkSync(folder.join('in', 'sub', 'a'), folder.join('in', 'b'))
    symlinkSync('a', folder.join('in', 'l'))
    const recorded = await recordedOf(tree(folder.join('in')))
    assert.deepEqual(await files.checkRestored(folder.join('in'), recorded, never), [
      { check: 'files', verdict: 'ok', detail: '2 files, 1 folder, 1 symlink, 4 bytes' },
    ])
    rmSync(folder.join('in', 'l'))
    writeFileSync(folder.join('in', 'more'), 'x')
    assert.deepEqual(await files.checkRestored(folder.join('in'), recorded, never), [
      { check: 'files', verdict: 'fail', detail: '2 → 3 files, 1 → 0 symlinks, 4 → 5 bytes' },
    ])
    assert.deepEqual(files.staleSidecars({ path: folder.path, type: 'directory' }), [])
  })

  test('of a single file are checked as one', async () => {
    await using folder = await testFolder()
    writeFileSync(folder.join('a.env'), 'A=1')
    const source = tree(folder.join('a.env'))
    const recorded = await recordedOf(source)
    assert.equal(source.place.type, 'file')
    assert.equal((await files.checkRestored(folder.join('a.env'), recorded, never))[0]?.verdict, 'ok')
    writeFileSync(folder.join('a.env'), 'A=')
    assert.equal((await files.checkRestored(folder.join('a.env'), recorded, never))[0]?.verdict, 'fail')
  })
})

test('a spot check compares content, not only size, and knows what is gone', async () => {
  await using folder = await testFolder()
  await using run = await scratchRun()
  mkdirSync(folder.join('dir'))
  for (const name of ['same', 'other', 'longer']) writeFileSync(folder.join(name), 'text')
  symlinkSync('same', folder.join('link'))
  const sha256 = '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1'
  const file = { type: 'file', size: 4, mode: 0o644, mtimeMs: 0, offset: 0, sha256 } as const
  const sample = [
    ...['same', 'other', 'longer', 'gone', 'dir'].map((name) => ({ ...file, path: `tree/${name}` })),
    { ...file, path: 'tree/link', type: 'symlink', link: 'same' } as const,
    { ...file, path: 'tree/dir', type: 'directory' } as const,
  ]
  writeFileSync(folder.join('other'), 'Text')
  writeFileSync(folder.join('longer'), 'longer text')
  const source = tree(folder.path)
  const recorded = {
    name: 'tree',
    kind: 'files',
    snapshot_at: '',
    versions: {},
    facts: {},
    members: 0,
    bytes: 0,
  }
  assert.deepEqual(await source.spotCheck(sample, recorded, run.context), [
    { path: 'tree/same', state: 'same' },
    { path: 'tree/other', state: 'changed', detail: 'same size, other content' },
    { path: 'tree/longer', state: 'changed', detail: '4 → 11 bytes' },
    { path: 'tree/gone', state: 'missing' },
    { path: 'tree/dir', state: 'changed', detail: 'no regular file any more' },
    { path: 'tree/link', state: 'same' },
    { path: 'tree/dir', state: 'same' },
  ])
})
