import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { listTree } from '../../test/support/tree-listing.ts'
import { testFolder } from '../../test/support/tree-folder.ts'
import { files } from './files.ts'
import type { FilesOptions } from './files.ts'

const tree = (path: string, options: Omit<FilesOptions, 'path'> = {}): ReturnType<typeof files.open> =>
  files.open('tree', { path, ...options })

suite('patterns', () => {
  async function sample(): Promise<Awaited<ReturnType<typeof testFolder>>> {
    const folder = await testFolder()
    for (const path of ['certs/old', 'cache/deep', 'empty', 'data'])
      mkdirSync(folder.join(path), { recursive: true })
    for (const path of [
      'certs/ca.pem',
      'certs/old/ca.pem',
      'certs/notes',
      'cache/deep/x',
      'data/a.log',
      'top.pem',
    ]) {
      writeFileSync(folder.join(path), '')
    }
    return folder
  }

  test('of include give what matches and the folders on the way', async () => {
    await using folder = await sample()
    assert.deepEqual((await listTree(tree(folder.path, { include: ['*.pem'] }))).lines, [
      'd certs/',
      '- certs/ca.pem = ',
      'd certs/old/',
      '- certs/old/ca.pem = ',
      '- top.pem = ',
    ])
    const whole = await listTree(tree(folder.path, { include: ['certs/', 'empty'] }))
    assert.deepEqual(whole.lines, [
      'd certs/',
      '- certs/ca.pem = ',
      '- certs/notes = ',
      'd certs/old/',
      '- certs/old/ca.pem = ',
      'd empty/',
    ])
  })

  test('of exclude leave out what matches, and a folder with all that is in it', async () => {
    await using folder = await sample()
    const { lines, facts } = await listTree(
      tree(folder.path, { include: ['**/*'], exclude: ['cache', 'old/', '*.log', '/top.pem', 'empty/'] }),
    )
    assert.deepEqual(lines, ['d certs/', '- certs/ca.pem = ', '- certs/notes = ', 'd data/'])
    assert.deepEqual(facts, { files: 2, folders: 2, symlinks: 0, bytes: 0 })
  })
})
