import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { inPieces } from '../../../test/support/sealed.ts'
import { Secret } from '../../secret.ts'
import { readGpg } from './read.ts'
import { writeGpg } from './write.ts'

const options = { random: (size: number) => Buffer.alloc(size, 7), mtime: new Date('2026-05-14T10:30:25Z') }
const secret = new Secret('correct horse')

async function write(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeGpg(pieces, secret, options)))
}

describe('a gpg message is written', () => {
  it('with AES-256, a salted SHA-512 over 65,011,712 bytes, and modification detection', async () => {
    const bytes = await write(inPieces(Buffer.from('data'), 9))
    const slot = Buffer.from([0xc3, 13, 4, 9, 3, 10, ...Buffer.alloc(8, 7), 0xff])
    assert.deepEqual(bytes.subarray(0, 15), slot)
    assert.deepEqual(bytes.subarray(15, 18), Buffer.from([0xd2, 1 + 18 + 2 + 6 + 4 + 22, 1]))
    assert.equal(bytes.length, 15 + 2 + 1 + 18 + 2 + 6 + 4 + 22)
  })

  it('so that it is read again, whatever the pieces, though a source uses its buffer again', async () => {
    const data = randomBytes(300_001)
    async function* reused(): AsyncGenerator<Buffer> {
      const buffer = Buffer.alloc(7001)
      for (let at = 0; at < data.length; at += buffer.length) {
        const size = data.copy(buffer, 0, at)
        yield buffer.subarray(0, size)
        buffer.fill(0)
      }
    }
    const bytes = await write(reused())
    assert.equal(bytes[15], 0xd2)
    assert.equal(bytes[16], 0xe0 | 16)
    const found = await Array.fromAsync(readGpg(inPieces(bytes, 65_536), Buffer.from(secret.reveal())))
    assert.ok(Buffer.concat(found).equals(data))
  })

  it('never with an empty passphrase', async () => {
    for (const empty of [new Secret(''), Buffer.alloc(0)]) {
      const plaintext = Readable.from(inPieces(Buffer.from('data'), 9))
      await assert.rejects(writeGpg(plaintext, empty, options).next(), { code: 'PASSPHRASE_TOO_SHORT' })
      assert.ok(plaintext.destroyed)
    }
  })

  it('without an end where the plaintext fails, and with the same error', async () => {
    const failure = new Error('the disk is gone')
    let closed = false
    async function* failing(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.alloc(100_000)
        throw failure
      } finally {
        closed = true
      }
    }
    await assert.rejects(write(failing()), (error) => error === failure)
    assert.ok(closed)
  })

  it('until it is told to stop', async () => {
    const stop = new AbortController()
    let asked = 0
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        if (++asked === 9) stop.abort()
        yield Buffer.alloc(65_536)
      }
    }
    const writing = writeGpg(endless(), secret, { ...options, signal: stop.signal })
    await assert.rejects(Array.fromAsync(writing), { name: 'AbortError' })
    assert.equal(asked, 9)
  })

  it('until it is told to stop, though the plaintext stalls', async () => {
    const stop = new AbortController()
    const stalled = new Readable({ read: () => undefined })
    stalled.push(Buffer.alloc(200_000))
    const writing = writeGpg(stalled, secret, { ...options, signal: stop.signal })
    assert.equal((await writing.next()).done, false)
    const rest = Array.fromAsync(writing)
    const reason = new Error('told to stop')
    stop.abort(reason)
    await assert.rejects(rest, (error) => error === reason)
    assert.ok(stalled.destroyed)
  })
})
