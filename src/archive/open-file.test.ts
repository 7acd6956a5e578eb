import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { MemoryFile, sealed, SECRET } from '../../test/support/sealed.ts'
import { openFile, openStream } from './index.ts'

describe('random access', () => {
  const parts = {
    'app/first': randomBytes(300_000),
    'app/wanted': randomBytes(100_000),
    'app/last': randomBytes(900_000),
  }

  it('lists and extracts one member without reading the rest', async () => {
    const archive = await sealed(parts)
    const access = new MemoryFile(archive)
    const file = await openFile(access, [SECRET])
    const entries = await Array.fromAsync(file.index())
    const listed = access.reads.reduce((sum, { length }) => sum + length, 0)
    assert.ok(listed < 10_000, `${listed} bytes were read to list`)
    const wanted = entries.find(({ path }) => path === 'app/wanted')
    assert.ok(wanted)
    const content = Buffer.concat(await Array.fromAsync(file.content(wanted)))
    assert.deepEqual(content, parts['app/wanted'])
    const read = access.reads.reduce((sum, { length }) => sum + length, 0)
    assert.ok(read < 4 * 65_600 + 20_000, `${read} bytes were read to extract 100,000`)
  })

  it('gives a key that opens the same archive again, and no other one', async () => {
    const archive = await sealed(parts)
    const { key, slot } = await openFile(new MemoryFile(archive), [SECRET])
    await using again = await openStream(Readable.from([archive]), [key])
    assert.equal(again.slot, slot)
    assert.doesNotMatch(JSON.stringify(key), /[0-9a-f]{64}/)
    const other = await sealed(parts)
    await assert.rejects(openStream(Readable.from([other]), [key]), { code: 'NO_KEY_FITS' })
    const changed = Buffer.from(archive)
    changed.write('2031', changed.indexOf('"created_at":"') + 14)
    await assert.rejects(openStream(Readable.from([changed]), [key]), { code: 'HEADER_CHANGED' })
  })

  it('reaches members before damage, and names the chunk that is damaged', async () => {
    const archive = await sealed(parts)
    const damaged = Buffer.from(archive)
    damaged[archive.length - 200_000] = (damaged[archive.length - 200_000] ?? 0) ^ 1
    const file = await openFile(new MemoryFile(damaged), [SECRET])
    for await (const entry of file.index()) {
      const content = Array.fromAsync(file.content(entry))
      if (entry.path === 'app/last') await assert.rejects(content, { code: 'CHUNK_CHANGED' })
      else if (entry.path.startsWith('app/')) await content
    }
  })

  it('says the same as a reader of the whole of a file that is cut or goes on', async () => {
    const archive = await sealed({ 'app/file': 'x' })
    const summary = async (bytes: Buffer) => (await openFile(new MemoryFile(bytes), [SECRET])).summary()
    for (const size of [archive.length - 1, archive.length - 24, archive.length - 60]) {
      await assert.rejects(summary(archive.subarray(0, size)), { code: 'ARCHIVE_CUT', data: { at: size } })
    }
    const at = archive.length
    await assert.rejects(summary(Buffer.concat([archive, Buffer.alloc(40)])), {
      code: 'TRAILING_DATA',
      data: { at },
    })
    await assert.rejects(summary(Buffer.concat([archive, archive])), { code: 'TRAILING_DATA', data: { at } })
    for (const offset of [at - 1, at - 10, at - 20]) {
      const changed = Buffer.from(archive)
      changed[offset] = (changed[offset] ?? 0) ^ 1
      await assert.rejects(summary(changed), { code: 'FOOTER_CHANGED', data: { at: at - 24 } })
    }
  })

  it('compares what it gives with the hash of the index', async () => {
    const file = await openFile(new MemoryFile(await sealed({ 'app/file': 'content' })), [SECRET])
    const [entry] = await Array.fromAsync(file.index())
    assert.ok(entry)
    const wrong = { ...entry, offset: entry.offset + 1 }
    await assert.rejects(Array.fromAsync(file.content(wrong)), { code: 'CONTENTS_DISAGREE' })
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    const file = await openFile(new MemoryFile(await sealed(parts)), [SECRET], { signal: controller.signal })
    const [entry] = await Array.fromAsync(file.index())
    assert.ok(entry)
    controller.abort(new Error('enough'))
    await assert.rejects(Array.fromAsync(file.content(entry)), /enough/)
  })
})
