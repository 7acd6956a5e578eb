import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'

import { failingStep, faultyDisk } from '../../test/support/faulty-disk.ts'
import { overfullWrite } from '../../test/support/overfull-write.ts'
import { content, hasCode, listed, put, sample } from '../../test/support/stored.ts'
import { isSealiftError, systemCode } from '../errors.ts'
import type { Disk } from './folder.ts'
import { local, openLocal } from './local.ts'
import type { Target } from './target.ts'

async function place() {
  const root = await mkdtemp(join(tmpdir(), 'sealift-faults-'))
  const folder = join(root, 'deep', 'archives')
  return {
    folder,
    on: (disk: Disk) => openLocal('disk', { path: folder }, disk),
    good: local.open('disk', { path: folder }),
    residue: async () => await readdir(folder).catch((): string[] => []),
    [Symbol.asyncDispose]: async () => await rm(root, { recursive: true }),
  }
}

const fails = (code: string) => (error: unknown) => {
  assert.ok(isSealiftError(error, 'TARGET_UNAVAILABLE'))
  assert.ok(error.message.includes(code), error.message)
  assert.equal(systemCode(error.cause), code)
  return true
}

/** Runs `write` with a fault at its first step, at its second, … until it ends before the fault. Returns how many. */
async function atEveryStep(
  code: string,
  forEver: boolean,
  refuses: readonly string[],
  write: (disk: Disk) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step++) {
    const fault = failingStep(step, code, forEver)
    const plan = (operation: string) => (refuses.includes(operation) ? 'EPERM' : fault.plan(operation))
    let failed: unknown
    await write(faultyDisk(plan)).catch((error: unknown) => (failed = error))
    if (!fault.reached()) {
      assert.equal(failed, undefined)
      return step - 1
    }
    assert.ok(fails(code)(failed))
  }
}

for (const refuses of [[], ['link']]) {
  const where = refuses.length === 0 ? '' : ' where there are no hard links'
  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EACCES']) {
    test(`${code} at any one step of a new archive leaves nothing${where}`, async () => {
      let leftovers: string[] = []
      const steps = await atEveryStep(code, false, refuses, async (disk) => {
        assert.deepEqual(leftovers, [])
        await using here = await place()
        try {
          await put(here.on(disk), 'a.sealift', sample(10_000))
          assert.deepEqual(await here.residue(), ['a.sealift'])
        } catch (error) {
          leftovers = await here.residue()
          throw error
        }
      })
      assert.deepEqual(leftovers, [])
      assert.ok(steps > 10)
    })
  }

  test(`a disk that is dead from any step on never shows a partial archive${where}`, async () => {
    await atEveryStep('EIO', true, refuses, async (disk) => {
      await using here = await place()
      try {
        await put(here.on(disk), 'a.sealift', sample(10_000))
      } finally {
        for (const name of await listed(here.good)) {
          assert.deepEqual(await content(here.good, name), sample(10_000))
        }
      }
    })
  })
}

for (const forEver of [false, true]) {
  test(`a ${forEver ? 'lasting' : 'single'} error while replacing leaves the old archive or the new one, whole`, async () => {
    await atEveryStep('EIO', forEver, [], async (disk) => {
      await using here = await place()
      await put(here.good, 'a.sealift', sample(5_000))
      try {
        await using writer = await here.on(disk).replace('a.sealift')
        writer.stream.write(sample(6_000))
        await writer.commit()
      } finally {
        assert.deepEqual(await listed(here.good), ['a.sealift'])
        const { length } = await content(here.good, 'a.sealift')
        assert.ok(length === 5_000 || length === 6_000)
        assert.deepEqual(await content(here.good, 'a.sealift'), sample(length))
        if (!forEver) assert.deepEqual(await here.residue(), ['a.sealift'])
      }
    })
  })
}

test('listing, reading, removing and sweeping name the error of the disk', async () => {
  await using here = await place()
  await put(here.good, 'a.sealift', sample(10))
  const dead = here.on(faultyDisk(() => 'EIO'))
  await assert.rejects(Array.fromAsync(dead.list()), fails('EIO'))
  await assert.rejects(dead.open('a.sealift'), fails('EIO'))
  await assert.rejects(dead.remove('a.sealift'), fails('EIO'))
  await assert.rejects(dead.sweep(), fails('EIO'))
  await assert.rejects(dead.free(), fails('EIO'))
  const unreadable = here.on(faultyDisk((operation) => (operation === 'read' ? 'EIO' : undefined)))
  await using reader = await unreadable.open('a.sealift')
  await assert.rejects(reader.read(0, 5), fails('EIO'))
  await assert.rejects(buffer(reader.stream()), fails('EIO'))
  assert.deepEqual(await content(here.good, 'a.sealift'), sample(10))
})

test('an error that the disk tells while more is written is not lost', async () => {
  await using here = await place()
  const disk = faultyDisk((operation) => (operation === 'datasync' ? 'EIO' : undefined))
  await assert.rejects(put(here.on(disk), 'a.sealift', sample(40_000_000)), fails('EIO'))
  assert.deepEqual(await here.residue(), [])
  await put(here.on(disk), 'b.sealift', sample(1_000_000))
})

test('short reads and writes lose no byte', async () => {
  await using here = await place()
  const slow = here.on(faultyDisk(() => undefined, 777))
  await using writer = await slow.create('a.sealift')
  for (let part = 0; part < 10; part++) writer.stream.write(sample(1_000 + part))
  await writer.commit()
  const expected = Buffer.concat(Array.from({ length: 10 }, (_, part) => sample(1_000 + part)))
  assert.deepEqual(await readFile(join(here.folder, 'a.sealift')), expected)
  assert.deepEqual(await content(slow, 'a.sealift'), expected)
})

test('an archive that shrinks while it is read is an error and not an early end', async () => {
  await using here = await place()
  await put(here.good, 'a.sealift', sample(3_000_000))
  await using reader = await here.good.open('a.sealift')
  await truncate(join(here.folder, 'a.sealift'), 1_500_000)
  await assert.rejects(buffer(reader.stream()), hasCode('TARGET_UNAVAILABLE'))
  await assert.rejects(reader.read(1_400_000, 200_000), hasCode('TARGET_UNAVAILABLE'))
  assert.equal((await reader.read(0, 100)).length, 100)
})

test('without hard links a name is still never overwritten', async () => {
  await using here = await place()
  const plain = here.on(faultyDisk((operation) => (operation === 'link' ? 'EPERM' : undefined)))
  const race = async (target: Target, size: number) => {
    await using writer = await target.create('a.sealift')
    writer.stream.write(sample(size))
    return await writer.commit()
  }
  const ends = await Promise.allSettled([race(plain, 100), race(plain, 200), race(plain, 300)])
  const won = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const lost = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []))
  assert.equal(won.length, 1)
  assert.ok(lost.every(hasCode('OBJECT_EXISTS')))
  assert.deepEqual(await content(here.good, 'a.sealift'), sample(won[0]?.size ?? 0))
  assert.deepEqual(await here.residue(), ['a.sealift'])
})

test('a link that was made although its answer says EEXIST is not taken for another archive', async () => {
  await using here = await place()
  const disk = faultyDisk(() => undefined)
  const repeating: Disk = {
    ...disk,
    link: async (from, to) => {
      await disk.link(from, to)
      await disk.link(from, to)
    },
  }
  await put(here.on(repeating), 'a.sealift', sample(10))
  assert.deepEqual(await here.residue(), ['a.sealift'])
})

test('a file system that cannot sync a folder is let pass; one that cannot sync a file is not', async () => {
  await using here = await place()
  const no = (operation: string) => faultyDisk((asked) => (asked === operation ? 'EINVAL' : undefined))
  await put(here.on(no('folder-sync')), 'a.sealift', sample(10))
  await assert.rejects(put(here.on(no('sync')), 'b.sealift', sample(10)), fails('EINVAL'))
  assert.deepEqual(await here.residue(), ['a.sealift'])
})

test('a disk without room refuses with its own word and keeps nothing', async () => {
  await using here = await place()
  await put(here.good, 'first.sealift', sample(1))
  const { on, end } = overfullWrite(here.folder)
  const system = on === 'tmpfs' ? 'ENOSPC' : 'EFBIG'
  assert.equal(end.code, 'TARGET_UNAVAILABLE')
  assert.equal(end.system, system)
  assert.ok(end.message.includes(`target disk: write a.sealift failed: ${system}`), end.message)
  assert.deepEqual(end.residue, on === 'tmpfs' ? [] : ['first.sealift'])
})
