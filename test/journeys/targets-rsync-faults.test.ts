import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { isSealiftError } from '../../src/errors.ts'
import { rsync } from '../../src/targets/rsync.ts'
import { rsyncUnderTest } from '../support/rsync-target.ts'
import type { RsyncUnderTest } from '../support/rsync-target.ts'
import type { CutTcp } from '../support/sshd-proxy.ts'
import { cutTcp } from '../support/sshd-proxy.ts'
import { sshd } from '../support/sshd-server.ts'
import { content, digest, hasCode, listed, objects, pieces, put, sample } from '../support/stored.ts'

const server = await sshd()
after(async () => await server[Symbol.asyncDispose]())

const bytes = sample(12_000_000)

/** A target behind a proxy of its own. */
async function behind(): Promise<AsyncDisposable & RsyncUnderTest & { readonly proxy: CutTcp }> {
  const stack = new AsyncDisposableStack()
  const proxy = stack.use(await cutTcp(server.port))
  const under = stack.use(await rsyncUnderTest(server, { port: proxy.port }))
  return { ...under, proxy, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}

/** For `assert.rejects`: this code, and a sentence with these words. */
const says =
  (code: string, ...words: string[]) =>
  (error: unknown) => {
    assert.ok(isSealiftError(error), String(error))
    assert.equal(error.code, code, error.message)
    for (const word of words) assert.ok(error.message.includes(word), error.message)
    return true
  }

test('an account that rrsync restricts to the folder can do all that a target does', async () => {
  await using at = await rsyncUnderTest(server)
  const key = await server.keyFor(`rrsync -no-lock ${at.folder}`)
  const target = rsync.open('far', { ...at.options, folder: '.', ssh_key_file: key }, at.scratch)
  const stored = await put(target, 'a.sealift', bytes)
  assert.deepEqual(await objects(target), [stored])
  assert.equal((await stat(join(at.folder, 'a.sealift'))).mode & 0o7777, 0o600)
  assert.equal(digest(await content(target, 'a.sealift')), digest(bytes))
  await using writer = await target.replace('a.sealift')
  writer.stream.write(sample(5))
  await writer.commit()
  assert.deepEqual(await content(target, 'a.sealift'), sample(5))
  assert.deepEqual(await target.sweep(), [])
  await target.remove('a.sealift')
  await assert.rejects(target.remove('a.sealift'), hasCode('OBJECT_NOT_FOUND'))
  assert.deepEqual(await at.residue(), [])
})

test('an account that may only read is refused before anything is written', async () => {
  await using at = await rsyncUnderTest(server)
  await put(at.target, 'a.sealift', sample(100))
  const key = await server.keyFor(`rrsync -ro ${at.folder}`)
  const target = rsync.open('far', { ...at.options, folder: '.', ssh_key_file: key }, at.scratch)
  assert.deepEqual(await content(target, 'a.sealift'), sample(100))
  await assert.rejects(target.create('b.sealift'), says('TARGET_DENIED', 'read-only'))
  await assert.rejects(target.remove('a.sealift'), says('TARGET_DENIED'))
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('an upload whose connection is cut goes on with what had arrived', async () => {
  await using at = await behind()
  await using writer = await at.target.create('a.sealift', { expectedSize: bytes.length })
  await pipeline(pieces(bytes, 1_000_000), writer.stream)
  at.proxy.cutAt({ up: 9_000_000 })
  const before = at.proxy.passed.length
  assert.equal((await writer.commit()).size, bytes.length)
  const [first, second, ...more] = at.proxy.passed.slice(before)
  assert.ok(first !== undefined && first.up >= 9_000_000)
  assert.ok(second !== undefined && second.up < 9_000_000, `${second?.up} bytes were sent again`)
  assert.deepEqual(more, [])
  assert.equal(digest(await content(at.target, 'a.sealift')), digest(bytes))
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('a read whose connection is cut goes on at the byte that was reached', async () => {
  await using at = await behind()
  await put(at.target, 'a.sealift', bytes)
  at.proxy.slow(20_000_000)
  await using reader = await at.target.open('a.sealift')
  at.proxy.cutAt({ down: 5_000_000 })
  const before = at.proxy.passed.length
  assert.equal(digest(await buffer(reader.stream())), digest(bytes))
  const [first, second] = at.proxy.passed.slice(before)
  assert.ok(first !== undefined && first.down >= 5_000_000)
  assert.ok(second !== undefined && second.down < 9_000_000, `${second?.down} bytes came again`)
})

test('a range is read without the rest of the archive', async () => {
  await using at = await behind()
  const large = sample(60_000_000)
  await put(at.target, 'a.sealift', large)
  at.proxy.slow(20_000_000)
  const before = at.proxy.passed.length
  await using reader = await at.target.open('a.sealift')
  assert.equal(reader.size, large.length)
  assert.deepEqual(await reader.read(0, 1000), large.subarray(0, 1000))
  assert.deepEqual(await reader.read(large.length - 24, 24), large.subarray(-24))
  assert.deepEqual(await reader.read(30_000_000, 5000), large.subarray(30_000_000, 30_005_000))
  const moved = at.proxy.passed.slice(before).reduce((sum, { down }) => sum + down, 0)
  assert.ok(moved < 40_000_000, `${moved} bytes came`)
})

test('what a killed process left of an upload is swept: its claim, its parts and its private files', async () => {
  await using at = await behind()
  await put(at.target, 'a.sealift', sample(5))
  at.proxy.slow(2_000_000)
  const program = fileURLToPath(new URL('../support/rsync-upload.ts', import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify(at.options), at.scratch, 'b.sealift'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const hidden = async () =>
    (await at.residue()).filter((name) => /^\.b\.sealift\.[A-Za-z0-9]{6}$/.test(name))
  while ((await hidden()).length === 0) await sleep(20)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await at.proxy[Symbol.asyncDispose]()
  const direct = rsync.open('far', { ...at.options, port: server.port }, at.scratch)
  assert.deepEqual(await listed(direct), ['a.sealift'])
  // The other side notices the cut by itself, and puts away what it has.
  while ((await hidden()).length > 0) await sleep(20)
  assert.ok((await direct.sweep()).some((name) => name.endsWith('.claim')))
  assert.deepEqual(await at.residue(), ['a.sealift'])
  assert.deepEqual(await readdir(join(at.scratch, 'rsync')), [])
})

test('hidden files of a dead host are swept once they are a day old, and what is not ours never', async () => {
  await using at = await rsyncUnderTest(server)
  const old = new Date(Date.now() - 25 * 3_600_000)
  for (const name of ['.a.sealift.Ab12Cd', '.b.sealift.Ab12Cd', '.notes.txt.Ab12Cd', '.hidden']) {
    await writeFile(join(at.folder, name), 'x')
    if (!name.startsWith('.b')) await utimes(join(at.folder, name), old, old)
  }
  assert.deepEqual(await at.target.sweep(), ['.a.sealift.Ab12Cd'])
  assert.deepEqual(await at.residue(), ['.b.sealift.Ab12Cd', '.hidden', '.notes.txt.Ab12Cd'])
})

test('a file that somebody else puts there meanwhile is not overwritten', async () => {
  await using at = await rsyncUnderTest(server)
  await using writer = await at.target.create('a.sealift')
  writer.stream.write(sample(1000))
  await writeFile(join(at.folder, 'a.sealift'), 'by hand')
  await assert.rejects(writer.commit(), hasCode('OBJECT_EXISTS'))
  assert.equal((await content(at.target, 'a.sealift')).toString(), 'by hand')
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('of writers of one name on several hosts exactly one wins', async () => {
  await using at = await rsyncUnderTest(server)
  const race = async (host: number) => {
    const target = rsync.open('far', at.options, join(at.scratch, `host-${host}`))
    return await put(target, 'a.sealift', sample(1000 + host))
  }
  const ends = await Promise.allSettled([race(1), race(2), race(3), race(4)])
  const won = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const lost = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []))
  assert.equal(won.length, 1)
  assert.ok(lost.every(hasCode('OBJECT_EXISTS')))
  assert.deepEqual(await content(at.target, 'a.sealift'), sample(won[0]?.size ?? 0))
  assert.deepEqual(await at.residue(), ['a.sealift'])
})

test('a large archive that is replaced while it is read is an error, never a mixture', async () => {
  await using at = await rsyncUnderTest(server)
  await put(at.target, 'a.sealift', bytes)
  const next = join(at.folder, '.next')
  await writeFile(next, sample(12_000_001))
  await using reader = await at.target.open('a.sealift')
  await rename(next, join(at.folder, 'a.sealift'))
  await assert.rejects(reader.read(11_000_000, 1000), hasCode('TARGET_UNAVAILABLE'))
})

test('a wrong key, an unknown host and a folder that is not there are told apart', async () => {
  await using at = await rsyncUnderTest(server)
  const anew = (change: object) => rsync.open('far', { ...at.options, ...change }, at.scratch)
  const stranger = join(server.root, 'host')
  await assert.rejects(listed(anew({ ssh_key_file: stranger })), says('TARGET_DENIED', 'Permission denied'))
  await writeFile(join(server.root, 'nobody'), '')
  const unknown = anew({ known_hosts_file: join(server.root, 'nobody') })
  await assert.rejects(unknown.create('a.sealift'), says('TARGET_DENIED', 'Host key verification failed'))
  const missing = anew({ folder: `${at.folder}/not-there` })
  const named = says('TARGET_NOT_FOUND', `folder ${at.folder}/not-there`)
  await assert.rejects(listed(missing), named)
  await assert.rejects(missing.create('a.sealift'), named)
  await assert.rejects(missing.open('a.sealift'), named)
  await assert.rejects(missing.remove('a.sealift'), named)
  await assert.rejects(missing.sweep(), named)
  assert.deepEqual(await at.residue(), [])
  assert.deepEqual(await readdir(join(at.scratch, 'rsync')), [])
})

test('nobody listens there: the place is unavailable, and another try may help', async () => {
  await using at = await rsyncUnderTest(server, { port: 1 })
  await assert.rejects(listed(at.target), (error) => {
    return isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.transient === true
  })
})

test('keys may lie at paths with spaces and quotes', async () => {
  await using at = await rsyncUnderTest(server)
  const odd = join(server.root, "the admin's keys (old)")
  await mkdir(odd)
  await copyFile(server.key, join(odd, 'my key'))
  await copyFile(server.knownHosts, join(odd, 'known hosts'))
  const change = { ssh_key_file: join(odd, 'my key'), known_hosts_file: join(odd, 'known hosts') }
  const target = rsync.open('far', { ...at.options, ...change }, at.scratch)
  await put(target, 'a.sealift', sample(10))
  assert.deepEqual(await listed(target), ['a.sealift'])
})

test('an upload that is aborted half-way leaves nothing', async () => {
  await using at = await behind()
  const abort = new AbortController()
  const reason = new Error('enough')
  {
    await using writer = await at.target.create('a.sealift', { signal: abort.signal })
    await pipeline(pieces(bytes, 1_000_000), writer.stream, { end: false })
    at.proxy.slow(4_000_000)
    const committed = assert.rejects(writer.commit(), (error) => error === reason)
    while ((await at.residue()).length < 2) await sleep(20)
    abort.abort(reason)
    at.proxy.slow(Infinity)
    await committed
  }
  assert.deepEqual(await at.residue(), [])
  assert.deepEqual(await readdir(join(at.scratch, 'rsync')), [])
})
