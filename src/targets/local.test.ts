import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { abandonedWrite } from '../../test/support/abandoned-write.ts'
import { content, hasCode, listed, put, sample } from '../../test/support/stored.ts'
import { targetSuite } from '../../test/suites/target.ts'
import { local, localOptions, openPath } from './local.ts'
import { partName, thisProcess } from './part-file.ts'

const make = async () => {
  const root = await mkdtemp(join(tmpdir(), 'sealift-local-'))
  const folder = join(root, 'deep', 'archives')
  return {
    root,
    folder,
    target: local.open('disk', { path: folder }),
    residue: async () => (await readdir(folder).catch((): string[] => [])).toSorted(),
    [Symbol.asyncDispose]: async () => await rm(root, { recursive: true }),
  }
}

targetSuite('local', make, {
  free: true,
  killedWriter: async ({ folder }, name) => await abandonedWrite(folder, name),
})

test('the folder and its parents are made 0700, archives 0600, whatever the umask is', async () => {
  for (const mask of [0, 0o777]) {
    await using here = await make()
    await mkdir(here.folder, { recursive: true, mode: 0o700 })
    const code = `
      import { local } from ${JSON.stringify(import.meta.resolve('./local.ts'))}
      process.umask(${mask})
      const writer = await local.open('disk', ${JSON.stringify({ path: here.folder })}).create('a.sealift')
      writer.stream.write('x')
      await writer.commit()`
    execFileSync(process.execPath, ['--input-type=module-typescript', '-e', code])
    assert.equal((await stat(join(here.folder, 'a.sealift'))).mode & 0o7777, 0o600)
  }
  await using here = await make()
  await put(here.target, 'a.sealift', sample(1))
  for (const folder of [join(here.root, 'deep'), here.folder]) {
    assert.equal((await stat(folder)).mode & 0o7777, 0o700)
  }
})

test('reading, listing and sweeping make no folder', async () => {
  await using here = await make()
  assert.deepEqual(await listed(here.target), [])
  assert.deepEqual(await here.target.sweep(), [])
  assert.ok(((await here.target.free()) ?? 0) > 0)
  assert.deepEqual(await readdir(here.root), [])
})

test('only regular files with an archive’s name are archives', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  await writeFile(join(here.folder, 'notes.txt'), 'x')
  await writeFile(join(here.folder, 'a b.sealift'), 'x')
  await mkdir(join(here.folder, 'folder.sealift'))
  await symlink(join(here.folder, 'a.sealift'), join(here.folder, 'link.sealift'))
  await symlink('nowhere', join(here.folder, 'broken.sealift'))
  execFileSync('mkfifo', [join(here.folder, 'fifo.sealift')])
  assert.deepEqual(await listed(here.target), ['a.sealift'])
  for (const name of ['folder.sealift', 'link.sealift', 'broken.sealift', 'fifo.sealift']) {
    await assert.rejects(here.target.open(name), hasCode('OBJECT_NOT_FOUND'), name)
    await assert.rejects(here.target.remove(name), hasCode('OBJECT_NOT_FOUND'), name)
    await assert.rejects(here.target.replace(name), hasCode('OBJECT_NOT_FOUND'), name)
    await assert.rejects(put(here.target, name, sample(1)), hasCode('OBJECT_EXISTS'), name)
  }
  assert.equal((await here.residue()).length, 7)
  assert.deepEqual(await content(here.target, 'a.sealift'), sample(10))
})

test('the folder itself may be a symlink', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  const linked = local.open('linked', { path: join(here.root, 'link') })
  await symlink(here.folder, join(here.root, 'link'))
  assert.deepEqual(await listed(linked), ['a.sealift'])
  await put(linked, 'b.sealift', sample(11))
  assert.deepEqual(await content(here.target, 'b.sealift'), sample(11))
})

test('a path that a person gives is opened whatever its name is, also through a symlink', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  const path = join(here.root, 'my old backup (1)')
  await rename(join(here.folder, 'a.sealift'), path)
  await symlink(path, join(here.root, 'link'))
  for (const given of [path, join(here.root, 'link')]) {
    await using reader = await openPath(given)
    assert.deepEqual(await reader.read(0, 100), sample(10))
  }
  const missing = join(here.root, 'missing')
  await assert.rejects(openPath(missing), {
    code: 'OBJECT_NOT_FOUND',
    message: `target local: there is no ${missing}`,
  })
  await assert.rejects(openPath(here.folder), hasCode('OBJECT_NOT_FOUND'))
})

test('an open archive is read to its end while another takes its name', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  await using reader = await here.target.open('a.sealift')
  await using writer = await here.target.replace('a.sealift')
  writer.stream.write(sample(20))
  await writer.commit()
  assert.deepEqual(await reader.read(0, 100), sample(10))
  assert.deepEqual(await content(here.target, 'a.sealift'), sample(20))
})

test('what another machine left unfinished is swept once it is a day old, and nothing else is touched', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  const elsewhere = { ...thisProcess(), machine: 'ffffffff' }
  const fresh = partName('b.sealift', elsewhere)
  const old = [partName('b.sealift', elsewhere), '.c.sealift.claim']
  const foreign = ['.hidden', '.x.part', 'b.sealift.part', '.d.sealift.1.part']
  for (const name of [fresh, ...old, ...foreign]) await writeFile(join(here.folder, name), 'x')
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000)
  for (const name of [...old, ...foreign]) await utimes(join(here.folder, name), longAgo, longAgo)
  assert.deepEqual((await here.target.sweep()).toSorted(), old.toSorted())
  assert.deepEqual(await here.residue(), [...foreign, fresh, 'a.sealift'].toSorted())
})

test('the second name that a writer killed at its last step leaves is swept, and the archive stays', async () => {
  await using here = await make()
  await put(here.target, 'a.sealift', sample(10))
  const second = partName('a.sealift', { ...thisProcess(), start: '1' })
  await link(join(here.folder, 'a.sealift'), join(here.folder, second))
  assert.deepEqual(await here.target.sweep(), [second])
  assert.deepEqual(await content(here.target, 'a.sealift'), sample(10))
})

test('options are a path and nothing else', () => {
  assert.deepEqual(localOptions.parse({ path: '/srv/archives' }), { path: '/srv/archives' })
  for (const wrong of [{}, { path: '' }, { path: 5 }, { path: '/a', mode: '0644' }]) {
    assert.equal(localOptions.safeParse(wrong).success, false)
  }
})
