import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import {
  beginSealing,
  inPieces,
  manifestOf,
  member,
  MemoryFile,
  readAll,
  RECIPIENT,
  sealed,
  SECRET,
} from '../../test/support/sealed.ts'
import { Secret } from '../secret.ts'
import { generateKeypair, inspectHeader, openFile, openStream, seal } from './index.ts'

const CHUNK = 65_536
/** Half of it can be compressed. */
const text = (size: number): Buffer => {
  const bytes = Buffer.alloc(size, 'one row and another row, ')
  randomBytes(size >> 1).copy(bytes)
  return bytes
}

describe('sealing and opening', () => {
  for (const compression of ['zstd', 'none'] as const) {
    for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]) {
      it(`is identity for ${size} bytes with compression ${compression}`, async () => {
        const content = compression === 'none' ? text(size) : Buffer.alloc(size, 'one row and another row, ')
        const archive = await sealed({ 'app/file': content }, { compression })
        for (const piece of [archive.length, 10_007, ...(archive.length < 5_000 ? [1] : [])]) {
          assert.deepEqual((await readAll(archive, piece)).get('app/file'), content, `in pieces of ${piece}`)
        }
        const file = await openFile(new MemoryFile(archive), [SECRET])
        for await (const entry of file.index()) {
          const got = Buffer.concat(await Array.fromAsync(file.content(entry)))
          if (entry.path === 'app/file') assert.deepEqual(got, content)
        }
      })
    }
  }

  it('keeps everything that a member says of itself', async () => {
    const { sealer, out } = await beginSealing()
    const members = [
      member('app', 0, { type: 'directory', mode: 0o2750, uid: 0, gid: 4_000_000_000 }),
      member('app/ü "quoted"\n', 3, { mtimeMs: 1_700_000_000_123.456 }),
      member('app/link', 0, { type: 'symlink', link: '../elsewhere', mode: 0o777 }),
      member('app/hard', 0, { type: 'hardlink', link: 'app/ü "quoted"\n' }),
    ]
    const entries = []
    for (const one of members) entries.push(await sealer.add(one, [Buffer.alloc(one.size, 'x')]))
    await sealer.finish(manifestOf(sealer.id))
    await using stream = await openStream(inPieces(out.bytes, 1_000), [SECRET])
    const seen = (await Array.fromAsync(stream.members())).map(({ member: one }) => one)
    assert.deepEqual(seen.slice(0, 4), members)
    const file = await openFile(new MemoryFile(out.bytes), [SECRET])
    assert.deepEqual((await Array.fromAsync(file.index())).slice(0, 4), entries)
    assert.deepEqual(await file.manifest(), manifestOf(sealer.id))
  })

  it('makes a new id and a new file key for each archive [K-1]', async () => {
    const [one, two] = await Promise.all([sealed({}), sealed({})])
    const ids = await Promise.all([one, two].map((bytes) => inspectHeader(new MemoryFile(bytes))))
    assert.notEqual(ids[0]?.id, ids[1]?.id)
    assert.notDeepEqual(one.subarray(-200), two.subarray(-200))
  })

  it('says what it wrote', async () => {
    const { sealer, out } = await beginSealing()
    const entry = await sealer.add(member('app/file', 5), [Buffer.from('he'), Buffer.from('llo')])
    assert.equal(entry.sha256, createHash('sha256').update('hello').digest('hex'))
    assert.equal(entry.offset, 512)
    assert.equal(sealer.bytesIn, 5)
    const summary = await sealer.finish(manifestOf(sealer.id))
    assert.equal(summary.archiveSize, out.bytes.length)
    assert.equal(summary.members, 3)
    const file = await openFile(new MemoryFile(out.bytes), [SECRET])
    assert.deepEqual(await file.summary(), { payloadSize: summary.payloadSize, members: 3 })
  })

  it('writes no secret into the manifest [M-2]', async () => {
    const { sealer, out } = await beginSealing()
    const host = new Secret('hunter2 hunter2') as never
    await sealer.finish({ ...manifestOf(sealer.id), host })
    const text = (await readAll(out.bytes)).get('MANIFEST.json')?.toString()
    assert.ok(text?.includes('[secret]') && !text.includes('hunter2'))
  })

  it('opens with any of its keys, and says which slot it was', async () => {
    const other = generateKeypair()
    const passphrase = new Secret('a good long passphrase')
    const archive = await sealed(
      { 'app/file': 'x' },
      {
        slots: [
          { type: 'recipient', recipient: other.recipient },
          { type: 'passphrase', passphrase },
          RECIPIENT,
        ],
      },
    )
    const slotOf = async (key: Parameters<typeof openFile>[1][number]) =>
      (await openFile(new MemoryFile(archive), [key])).slot
    assert.equal(await slotOf({ type: 'secret', secret: other.secret }), 0)
    assert.equal(await slotOf({ type: 'passphrase', passphrase }), 1)
    assert.equal(await slotOf(SECRET), 2)
    const stranger = generateKeypair().secret
    await assert.rejects(slotOf({ type: 'secret', secret: stranger }), {
      code: 'NO_KEY_FITS',
      message:
        /none of the 1 keys opens this archive \(its slots: recipient [0-9a-f]{16}, passphrase, recipient/,
    })
  })

  it('cuts a stream of unknown length into parts that join to it', async () => {
    const { sealer, out } = await beginSealing()
    const content = text(5_000_000)
    async function* rows() {
      for (let at = 0; at < content.length; at += 60_000) yield content.subarray(at, at + 60_000)
    }
    const parts = await sealer.addParts(member('rows/users'), rows())
    const empty = await sealer.addParts(member('rows/none'), (async function* () {})())
    assert.deepEqual(
      empty.map(({ path, size }) => [path, size]),
      [['rows/none.part-00001', 0]],
    )
    assert.ok(parts.length > 1)
    assert.equal(parts[1]?.path, 'rows/users.part-00002')
    await sealer.finish(manifestOf(sealer.id))
    const files = await readAll(out.bytes)
    assert.deepEqual(Buffer.concat(parts.map(({ path }) => files.get(path) ?? Buffer.alloc(0))), content)
  })
})

describe('a sealer', () => {
  it('refuses content of another length than announced', async () => {
    for (const content of ['four', 'sixsix']) {
      const { sealer } = await beginSealing()
      await assert.rejects(sealer.add(member('app/file', 5), [Buffer.from(content)]), {
        code: 'MEMBER_SIZE_DIFFERS',
        data: { member: 'app/file', size: 5, got: content.length },
      })
      await assert.rejects(sealer.finish(manifestOf(sealer.id)), { code: 'BUG' })
    }
  })

  it('refuses members that no reader would accept', async () => {
    const refused = [
      [member('../x')],
      [member('/x')],
      [member('a//x')],
      [member('C:x')],
      [member('x\0')],
      [member('MANIFEST.json')],
      [member('x'), member('x')],
      [member('x', 0, { type: 'symlink', link: '/' }), member('x/y')],
      [member('x', 0, { type: 'hardlink', link: 'y' })],
      [member('x', 0, { type: 'symlink' })],
      [member('x', 0, { link: 'y' })],
      [member('x', 1, { type: 'directory' })],
      [member('x', -1)],
      [member('x', 0, { mode: 0o100644 })],
      [member('x', 0, { mtimeMs: Number.NaN })],
      [member('x', 0, { uid: -1 })],
    ]
    for (const members of refused) {
      const { sealer } = await beginSealing()
      const last = members.pop()
      for (const one of members) await sealer.add(one)
      await assert.rejects(sealer.add(last ?? member('x')), { code: 'MEMBER_REFUSED' })
    }
  })

  it('refuses no slot and seventeen', async () => {
    for (const count of [0, 17]) {
      const slots = Array.from({ length: count }, () => RECIPIENT)
      await assert.rejects(beginSealing({ slots }), { code: 'SLOTS_LIMIT', data: { count } })
    }
  })

  it('throws what its output failed with, wherever it fails, and destroys it', async () => {
    for (const failAt of [0, 1, 3, 6, 9]) {
      let writes = 0
      const out = new Writable({
        highWaterMark: 1,
        write: (_, __, done) => setImmediate(done, writes++ === failAt ? new Error('no space') : null),
      })
      const work = async () => {
        await using sealer = await seal({
          out,
          slots: [RECIPIENT],
          createdAt: new Date(0),
          writer: 'test',
          chunkSize: CHUNK,
        })
        for (let at = 0; at < 10; at++) await sealer.add(member(`x${at}`, 100_000), [randomBytes(100_000)])
        await sealer.finish(manifestOf(sealer.id))
      }
      await assert.rejects(work(), /no space/)
      assert.ok(out.destroyed)
      assert.ok(!out.writableFinished)
    }
  })

  it('waits for a slow output instead of filling memory', async () => {
    let held: (() => void) | undefined
    let holds = true
    const out = new Writable({
      highWaterMark: 1,
      write(_, __, done) {
        if (holds) held = done
        else done()
      },
    })
    const options = { out, slots: [RECIPIENT], createdAt: new Date(0), writer: 'test', chunkSize: CHUNK }
    await using sealer = await seal(options)
    let asked = 0
    async function* content() {
      for (; asked < 100; asked++) yield randomBytes(CHUNK)
    }
    const adding = sealer.add(member('x', 100 * CHUNK), content())
    for (let turn = 0; turn < 200; turn++) await tick()
    assert.ok(asked < 12, `${asked} chunks were taken with none of them written`)
    holds = false
    held?.()
    await adding
    assert.equal(asked, 100)
  })

  it('stops when it is told to, with the reason', async () => {
    const controller = new AbortController()
    const { sealer, out } = await beginSealing({ signal: controller.signal })
    async function* endless() {
      for (;;) yield randomBytes(CHUNK)
    }
    const adding = sealer.add(member('x', 2 ** 40), endless())
    setImmediate(() => controller.abort(new Error('enough')))
    await assert.rejects(adding, /enough/)
    await sealer[Symbol.asyncDispose]()
    assert.ok(out.destroyed)
    assert.ok(!out.writableFinished)
  })

  it('ends nothing when it is disposed of before its end', async () => {
    const { sealer, out } = await beginSealing()
    await sealer.add(member('x', 1), [Buffer.from('x')])
    await sealer[Symbol.asyncDispose]()
    assert.ok(out.destroyed && !out.writableFinished)
    await assert.rejects(readAll(out.bytes), { code: 'ARCHIVE_CUT' })
  })
})
