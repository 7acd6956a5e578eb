import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Warning } from '../manifest.ts'
import { listSnapshot, listTree } from '../../test/support/tree-listing.ts'
import type { Listing } from '../../test/support/tree-listing.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { files } from './files.ts'
import { snapshotFiles } from './files-snapshot.ts'
import { globs } from './globs.ts'
import { walk } from './walk.ts'
import type { Entry } from './walk.ts'

const signal = new AbortController().signal

/** Looks at `path` now, and reads it only after `meanwhile`. */
async function lookThenRead(path: string, meanwhile: () => void, single = false): Promise<Listing> {
  async function* entries(): AsyncGenerator<Entry> {
    const entry = { path: 'it', absolute: path, stat: lstatSync(path, { bigint: true }) }
    meanwhile()
    yield entry
  }
  const warnings: Warning[] = []
  const job = {
    source: 'tree',
    entries: entries(),
    single,
    takenAt: new Date(),
    root: undefined,
    warnings,
    signal,
  }
  await using snapshot = snapshotFiles(job)
  return await listSnapshot(snapshot)
}

suite('between the look at a file and its opening', () => {
  test('it may vanish: a warning', async () => {
    await using folder = await testFolder()
    const path = folder.join('a')
    writeFileSync(path, 'x')
    const { lines, codes } = await lookThenRead(path, () => rmSync(path))
    assert.deepEqual([lines, codes], [[], ['file-vanished']])
  })

  test('the one file of a source may not vanish', async () => {
    await using folder = await testFolder()
    const path = folder.join('a')
    writeFileSync(path, 'x')
    await assert.rejects(
      lookThenRead(path, () => rmSync(path), true),
      { code: 'SOURCE_NOT_FOUND' },
    )
  })

  test('another file may take its place: that one is read', async () => {
    await using folder = await testFolder()
    const path = folder.join('a')
    writeFileSync(path, 'old')
    writeFileSync(folder.join('b'), 'new content')
    const { lines, codes } = await lookThenRead(path, () => renameSync(folder.join('b'), path))
    assert.deepEqual([lines, codes], [['- it = new content'], []])
  })

  test('a symlink may take its place: it is not followed', async () => {
    await using folder = await testFolder()
    const path = folder.join('a')
    writeFileSync(path, 'old')
    const { lines } = await lookThenRead(path, () => {
      rmSync(path)
      symlinkSync('/etc/passwd', path)
    })
    assert.deepEqual(lines, ['l it -> /etc/passwd'])
  })

  test('a FIFO may take its place: nobody waits for its writer', async () => {
    await using folder = await testFolder()
    const path = folder.join('a')
    writeFileSync(path, 'old')
    const { codes } = await lookThenRead(path, () => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    })
    assert.deepEqual(codes, ['fifo-skipped'])
  })
})

test('a folder that vanishes while its neighbours are read is warned of', async () => {
  await using folder = await testFolder()
  for (const name of ['a', 'b']) mkdirSync(folder.join(name))
  const gone: string[] = []
  const nothing = globs([])
  const options = { source: 'tree', root: folder.path, include: nothing, exclude: nothing, signal }
  const seen: string[] = []
  const entries = walk({ ...options, claimed: new Set(), vanished: (path) => void gone.push(path) })
  for await (const { path } of entries) {
    seen.push(path)
    rmSync(folder.join('b'), { recursive: true, force: true })
  }
  assert.deepEqual([seen, gone], [['a'], ['b']])
})

test('a file that was written just before is read once and without a warning', async () => {
  await using folder = await testFolder()
  writeFileSync(folder.join('a'), 'one')
  appendFileSync(folder.join('a'), ' two')
  const { lines, codes } = await listTree(files.open('tree', { path: folder.path }))
  assert.deepEqual([lines, codes], [['- a = one two'], []])
})

test('a small file that never holds still is given whole in itself, and warned of', async () => {
  await using folder = await testFolder()
  const path = folder.join('busy')
  writeFileSync(path, 'start')
  const program = `
    const { appendFileSync, truncateSync } = require('node:fs')
    const { workerData } = require('node:worker_threads')
    setInterval(() => { for (let n = 0; n < 50; n += 1) appendFileSync(workerData, 'x'.repeat(100)) }, 1)
    setInterval(() => truncateSync(workerData, 10), 50)`
  const writer = new Worker(program, { eval: true, workerData: path })
  const codes = new Set<string>()
  // A writer that the machine holds up for a moment leaves a steady file behind: then look again.
  for (let tries = 0; tries < 100 && codes.size === 0; tries += 1) {
    for (const code of (await listTree(files.open('tree', { path: folder.path }))).codes) codes.add(code)
  }
  await writer.terminate()
  assert.deepEqual([...codes], ['file-changed'])
})

test('a file that tells no size is not taken for an empty one', async () => {
  const { codes } = await listTree(files.open('proc', { path: '/proc/self/status' }))
  assert.deepEqual(codes, ['file-changed'])
})
