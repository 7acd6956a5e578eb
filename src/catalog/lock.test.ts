import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { lockHolder } from '../../test/support/hold-lock.ts'
import { isSealiftError } from '../errors.ts'
import { acquireLock } from './lock.ts'

const holder = { pid: process.pid, verb: 'prune', since: '2026-05-15T02:00:00Z', host: 'db1' }

async function privateFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-lock-'))
  return { folder, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) }
}

const locked = (text: string) => (error: unknown) => {
  assert.ok(isSealiftError(error, 'LOCKED'))
  assert.equal(error.message, text)
  return true
}

test('a lock that another process holds is refused with its holder, and free once that process is killed', async () => {
  await using place = await privateFolder()
  const { folder } = place
  for (let turn = 0; turn < 3; turn++) {
    const child = await lockHolder(folder, 'wiki')
    await assert.rejects(
      acquireLock({ folder, app: 'wiki', holder }),
      locked(`another run works on wiki: backup, process ${child.pid} on db1, since 2026-05-14T10:30:25Z`),
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    await using _lock = await acquireLock({ folder, app: 'wiki', holder })
  }
})

test('within one process a lock is held once, and refusals do not loosen it for other processes', async () => {
  await using place = await privateFolder()
  const { folder } = place
  {
    await using _lock = await acquireLock({ folder, app: 'wiki', holder })
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(
        acquireLock({ folder, app: 'wiki', holder }),
        locked(`another run works on wiki: prune, process ${process.pid} on db1, since 2026-05-15T02:00:00Z`),
      )
    }
    const other = await lockHolder(folder, 'shop')
    other.kill('SIGKILL')
    await once(other, 'exit')
    await assert.rejects(lockInChild(folder, 'wiki'), /process has LOCKED/)
  }
  await lockInChild(folder, 'wiki')
})

test('of many that want one lock at once exactly one has it', async () => {
  await using place = await privateFolder()
  const { folder } = place
  const ends = await Promise.allSettled(
    Array.from({ length: 8 }, async () => await acquireLock({ folder, app: 'wiki', holder })),
  )
  const locks = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  assert.equal(locks.length, 1)
  await locks[0]?.[Symbol.asyncDispose]()
})

test('the note of a killed holder does not name it as the holder of a lock that another one has', async () => {
  await using place = await privateFolder()
  const { folder } = place
  const killed = await lockHolder(folder, 'shop')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  await using _lock = await acquireLock({ folder, app: 'wiki', holder })
  const stale = { ...holder, pid: killed.pid }
  await writeFile(join(folder, 'wiki.holder.json'), JSON.stringify(stale))
  await assert.rejects(
    acquireLock({ folder, app: 'wiki', holder }),
    locked('another run works on wiki: a process that has not given its name'),
  )
})

test('a released lock leaves an empty 0600 file and no holder; releasing twice is harmless', async () => {
  await using place = await privateFolder()
  const { folder } = place
  const lock = await acquireLock({ folder, app: 'wiki', holder })
  assert.deepEqual((await readdir(folder)).toSorted(), ['wiki.holder.json', 'wiki.lock'])
  assert.equal((await stat(join(folder, 'wiki.holder.json'))).mode & 0o777, 0o600)
  await lock[Symbol.asyncDispose]()
  await lock[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(folder), ['wiki.lock'])
  const { size, mode } = await stat(join(folder, 'wiki.lock'))
  assert.deepEqual({ size, mode: mode & 0o777 }, { size: 0, mode: 0o600 })
})

test('locks of two applications do not touch each other', async () => {
  await using place = await privateFolder()
  const { folder } = place
  await using _wiki = await acquireLock({ folder, app: 'wiki', holder })
  await using _shop = await acquireLock({ folder, app: 'shop', holder })
})

test('a name that is no application, and a folder that is not there, are refused', async () => {
  await using place = await privateFolder()
  const { folder } = place
  for (const app of ['', '../wiki', 'a/b', 'Wiki', '-x', 'a.b']) {
    await assert.rejects(acquireLock({ folder, app, holder }), { code: 'USAGE' })
  }
  const missing = join(folder, 'missing')
  await assert.rejects(acquireLock({ folder: missing, app: 'wiki', holder }), { code: 'IO_FAILED' })
})

/** Takes a lock in another process, and gives it back. */
async function lockInChild(folder: string, app: string): Promise<void> {
  const child = await lockHolder(folder, app)
  child.kill('SIGKILL')
  await once(child, 'exit')
}
