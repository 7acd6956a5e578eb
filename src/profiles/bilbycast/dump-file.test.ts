import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  dumpFile,
  errorOf,
  gather,
  inMemory,
  NONCE,
  PASSPHRASE,
  pieces,
  quick,
  SALT,
} from '../../../test/support/bilbycast-files.ts'
import { Secret } from '../../secret.ts'
import { openDump, writeDump } from './dump-file.ts'
import { fileFailures, GCM_LIMIT } from './failures.ts'
import { formatOf } from './recognise.ts'
import { isAuthentic, sealBody } from './sealed-body.ts'

const dump = Buffer.from('PGDMP\x01\x0e\0 and what follows it')
const file = await dumpFile(dump)
const open = (bytes: Buffer, passphrase = PASSPHRASE) =>
  openDump(inMemory(bytes), { passphrase, stretch: quick, name: 'b.bin' })
const refusal = (bytes: Buffer) => errorOf(open(bytes))

describe('a BCBKMGR1 file', () => {
  it('has the bytes that the format lays down', () => {
    assert.equal(file.toString('latin1', 0, 8), 'BCBKMGR1')
    assert.deepEqual(file.subarray(8, 24), SALT)
    assert.deepEqual(file.subarray(24, 36), NONCE)
    assert.equal(file.length, 52 + dump.length)
    assert.equal(formatOf(file), 'BCBKMGR1')
    assert.equal(formatOf(file.subarray(0, 7)), undefined)
  })

  it('opens to the dump, again and again', async () => {
    const opened = await open(file)
    assert.equal(opened.size, dump.length)
    for (let time = 0; time < 2; time++) assert.deepEqual(await gather(opened.dump()), dump)
  })

  it('is refused with any byte changed, salt and nonce too', async () => {
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file)
      changed[at] = (changed[at] ?? 0) ^ 0x80
      assert.equal((await refusal(changed)).code, at < 8 ? 'FOREIGN_NOT_RECOGNISED' : 'FOREIGN_NOT_OPENED')
    }
  })

  it('is refused cut at any length, and with a byte more', async () => {
    assert.equal((await refusal(Buffer.alloc(0))).code, 'FOREIGN_NOT_RECOGNISED')
    for (let length = 1; length < file.length; length++)
      assert.equal(
        (await refusal(file.subarray(0, length))).code,
        length < 52 ? 'FOREIGN_CUT' : 'FOREIGN_NOT_OPENED',
      )
    assert.equal((await refusal(Buffer.concat([file, Buffer.alloc(1)]))).code, 'FOREIGN_NOT_OPENED')
  })

  it('does not open with another passphrase', async () => {
    const error = await errorOf(open(file, new Secret('correct horse batterx')))
    assert.equal(error.code, 'FOREIGN_NOT_OPENED')
    assert.match(error.message, /b\.bin/)
  })

  it('with a right tag and no dump inside is refused', async () => {
    for (const inside of ['', 'PGD', 'SELECT 1; -- a script']) {
      const key = await quick(Buffer.from(PASSPHRASE.reveal()), SALT, {
        memoryKib: 65_536,
        passes: 3,
        lanes: 1,
      })
      const body = sealBody(pieces(Buffer.from(inside)), key, NONCE, fileFailures('BCBKMGR1', undefined))
      const forged = Buffer.concat([Buffer.from('BCBKMGR1'), SALT, NONCE, await gather(body)])
      assert.equal((await refusal(forged)).code, 'FOREIGN_CONTENT_REFUSED')
    }
  })

  it('is not begun for what is no dump, nor for a short passphrase', async () => {
    const options = { salt: SALT, nonce: NONCE, passphrase: PASSPHRASE, stretch: quick }
    for (const inside of ['', 'PGDM', 'PGDUMP is no magic']) {
      const written = writeDump(pieces(Buffer.from(inside), 2), options)
      assert.equal((await errorOf(written.next())).code, 'FOREIGN_CONTENT_REFUSED')
    }
    const short = writeDump(pieces(dump), { ...options, passphrase: new Secret('elevenchars') })
    assert.equal((await errorOf(short.next())).code, 'PASSPHRASE_TOO_SHORT')
  })

  it('that changes between the two passes does not end as if it were whole', async () => {
    const changing = Buffer.from(file)
    const opened = await open(changing)
    changing[40] = (changing[40] ?? 0) ^ 1
    assert.equal((await errorOf(gather(opened.dump()))).code, 'FOREIGN_NOT_OPENED')
  })

  it('that becomes shorter between the two passes does not end as if it were whole', async () => {
    const whole = inMemory(file)
    let length = file.length
    const read = {
      ...whole,
      read: async (at: number, n: number) => whole.read(at, Math.min(n, Math.max(0, length - at))),
    }
    const opened = await openDump(read, { passphrase: PASSPHRASE, stretch: quick })
    length = 40
    assert.equal((await errorOf(gather(opened.dump()))).code, 'FOREIGN_NOT_OPENED')
  })

  it('longer than one message of the cipher is refused, and so is writing one', async () => {
    const key = Buffer.alloc(32)
    const huge = { size: GCM_LIMIT + 36 + 17, read: async () => assert.fail('not a byte is read') }
    assert.equal(await isAuthentic({ file: huge, at: 36, nonce: NONCE }, key), false)
    async function* claimed() {
      yield dump
      yield { length: GCM_LIMIT } as Buffer
    }
    const written = writeDump(claimed(), { salt: SALT, nonce: NONCE, passphrase: PASSPHRASE, stretch: quick })
    const error = await errorOf(gather(written))
    assert.deepEqual(
      [error.code, 'limit' in error.data && error.data.limit],
      ['FOREIGN_TOO_LARGE', 68_719_476_704],
    )
  })

  it('ends when it is told to stop', async () => {
    const reason = new Error('stop')
    const options = { passphrase: PASSPHRASE, stretch: quick, signal: AbortSignal.abort(reason) }
    await assert.rejects(openDump(inMemory(file), options), reason)
  })
})
