import assert from 'node:assert/strict'
import { lstat, mkdtemp, readFile, readlink, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import type { StagedMember } from './staged-tree.ts'
import { checkSymlink, StagedTree } from './staged-tree.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sealift-tree-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const mtimeMs = Date.UTC(2020, 0, 2, 3, 4, 5, 678)

function member(type: StagedMember['type'], mode: number, link?: string): StagedMember {
  return { path: 'p', type, size: 0, mode, mtimeMs, ...(link === undefined ? {} : { link }) }
}

async function* content(text: string): AsyncIterable<Uint8Array> {
  for (const letter of text) yield Buffer.from(letter)
}

test('files, folders, hard links and symlinks get their content, modes and times', async () => {
  const tree = new StagedTree()
  const at = (name: string): string => path.join(folder, 'root', name)
  await tree.put(at(''), member('directory', 0o750))
  await tree.put(at('closed'), member('directory', 0o500))
  await tree.put(at('closed/file'), member('file', 0o4640), content('hello'))
  await tree.putLink(at('again'), at('closed/file'))
  await tree.put(at('link'), member('symlink', 0o777, 'closed/file'))
  await tree.finish()
  assert.equal(await readFile(at('again'), 'utf8'), 'hello')
  assert.equal(await readlink(at('link')), 'closed/file')
  for (const [name, mode] of [
    ['', 0o750],
    ['closed', 0o500],
    ['closed/file', 0o4640],
  ] as const) {
    const seen = await stat(at(name))
    assert.equal(seen.mode & 0o7777, mode, name)
    assert.equal(Math.round(seen.mtimeMs), mtimeMs, name)
  }
  assert.equal((await stat(at('again'))).ino, (await stat(at('closed/file'))).ino)
  assert.equal(Math.round((await lstat(at('link'))).mtimeMs), mtimeMs)
})

test('nothing is written over or through what is already there', async () => {
  const tree = new StagedTree()
  await symlink('/etc/hostname', path.join(folder, 'trap'))
  const work = async () => {
    await tree.put(path.join(folder, 'trap'), member('file', 0o600), content('x'))
    await tree.finish()
  }
  await assert.rejects(work(), { code: 'EEXIST' })
  await tree.abandon()
})

test('a symlink may stay within its source and nowhere else', () => {
  const allowed: [string, string][] = [
    ['certs/current', 'ca.pem'],
    ['certs/a/b', '../c'],
    ['certs/a/b', '../../certs/c'],
  ]
  for (const [at, target] of allowed) checkSymlink(at, target)
  const refused: [string, string][] = [
    ['certs/current', '/etc/passwd'],
    ['certs/current', '../db/app.db'],
    ['certs/a/b', '../../../x'],
    ['certs/a', '..'],
  ]
  for (const [at, target] of refused) {
    assert.throws(
      () => checkSymlink(at, target),
      (error) => isSealiftError(error, 'SYMLINK_REFUSED') && error.data.link === target,
    )
  }
})
