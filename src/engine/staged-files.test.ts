import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { StagedFiles } from './staged-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sealift-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const attributes = { mode: 0o640, mtimeMs: Date.UTC(2020, 0, 2) }
const at = (name: string | number): string => path.join(folder, String(name))

/** The files of the folder that this process has open. */
async function stillOpen(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(links)).filter((link) => link.startsWith(folder))
}

test('more files than a group has, empty, small and in blocks, are whole, and none stays open', async () => {
  const files = new StagedFiles()
  const blocksOf = (n: number): Buffer[] =>
    Array.from({ length: n % 4 }, (_, k) => Buffer.alloc(n * 50, 97 + k))
  for (let n = 0; n < 600; n += 1) await files.write(at(n), attributes, blocksOf(n))
  await files.finish()
  assert.deepEqual(await stillOpen(), [])
  let bytes = 0
  for (let n = 0; n < 600; n += 1) {
    const content = await readFile(at(n))
    assert.ok(content.equals(Buffer.concat(blocksOf(n))), `file ${n}`)
    bytes += content.length
  }
  assert.equal(files.bytes, bytes)
  const { mode, mtimeMs } = await stat(at(599))
  assert.deepEqual({ mode: mode & 0o7777, mtimeMs }, attributes)
})

test('a file that cannot be made fails the writing, and what follows is not written', async () => {
  const files = new StagedFiles()
  await writeFile(at('taken'), 'here before')
  await files.write(at('first'), attributes, [Buffer.from('x')])
  const work = async (): Promise<void> => {
    await files.write(at('taken'), attributes, [Buffer.from('y')])
    await files.settle()
  }
  await assert.rejects(work(), { code: 'EEXIST' })
  await assert.rejects(files.finish(), { code: 'EEXIST' })
  await files.abandon()
  assert.equal(await readFile(at('taken'), 'utf8'), 'here before')
  assert.deepEqual(await stillOpen(), [])
})

test('content that breaks off is thrown on, and all is closed', async () => {
  const files = new StagedFiles()
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('x')
    throw new Error('no more')
  }
  await assert.rejects(files.write(at('half'), attributes, broken()), /no more/)
  await files.abandon()
  assert.equal((await stat(at('half'))).mode & 0o7777, 0o600)
  assert.deepEqual(await stillOpen(), [])
})
