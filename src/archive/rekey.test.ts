import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Memory, MemoryFile, readAll, RECIPIENT, sealed, SECRET } from '../../test/support/sealed.ts'
import { Forge } from '../../spec/vectors/forge.ts'
import { KEYPAIR } from '../../spec/vectors/forge.ts'
import { generateKeypair, inspectHeader, rekey, type SlotKey } from './index.ts'

const other = generateKeypair()
const OTHER: SlotKey = { type: 'recipient', recipient: other.recipient }

describe('changing slots [R-1]', () => {
  it('leaves every chunk as it is, under a header with the same id', async () => {
    const before = await sealed({ 'app/file': Buffer.alloc(200_000, 'row ') })
    const out = new Memory()
    const header = await rekey(new MemoryFile(before), out, [SECRET], { add: [OTHER], remove: [0] })
    const after = out.bytes
    const old = await inspectHeader(new MemoryFile(before))
    assert.deepEqual(await inspectHeader(new MemoryFile(after)), header)
    assert.equal(header.id, old.id)
    assert.deepEqual(after.subarray(header.headerSize, -24), before.subarray(old.headerSize, -24))
    const files = await readAll(after, after.length, [{ type: 'secret', secret: other.secret }])
    assert.equal(files.get('app/file')?.length, 200_000)
    await assert.rejects(readAll(after), { code: 'NO_KEY_FITS' })
  })

  it('adds a key beside the others', async () => {
    const out = new Memory()
    await rekey(new MemoryFile(await sealed({ 'app/file': 'x' })), out, [SECRET], {
      add: [OTHER],
      remove: [],
    })
    await readAll(out.bytes)
    await readAll(out.bytes, 1_000, [{ type: 'secret', secret: other.secret }])
  })

  it('carries a slot of an unknown type along as it stands', async () => {
    const value = { type: 'threshold', of: [3, { any: null }] }
    const { bytes } = await new Forge('rekey').archive({
      changeSlots: (slots) => [{ type: 'unknown', value }, ...slots],
    })
    const out = new Memory()
    const keys = [{ type: 'secret', secret: KEYPAIR.secret } as const]
    await rekey(new MemoryFile(bytes), out, keys, { add: [RECIPIENT], remove: [1] })
    assert.ok(out.bytes.includes(JSON.stringify(value)))
    await readAll(out.bytes)
  })

  it('refuses to leave no slot, to remove what is not there, and more than sixteen', async () => {
    const archive = new MemoryFile(await sealed({}))
    const attempt = async (add: SlotKey[], remove: number[], code: string) => {
      const out = new Memory()
      await assert.rejects(rekey(archive, out, [SECRET], { add, remove }), { code })
      assert.ok(out.destroyed)
    }
    await attempt([], [0], 'SLOTS_LIMIT')
    await attempt([], [1], 'SLOT_NOT_FOUND')
    await attempt(
      Array.from({ length: 16 }, () => OTHER),
      [],
      'SLOTS_LIMIT',
    )
  })

  it('refuses an archive that is not whole', async () => {
    const archive = await sealed({ 'app/file': 'x' })
    for (const [bytes, code] of [
      [archive.subarray(0, -1), 'ARCHIVE_CUT'],
      [Buffer.concat([archive, archive]), 'TRAILING_DATA'],
    ] as const) {
      const out = new Memory()
      await assert.rejects(rekey(new MemoryFile(bytes), out, [SECRET], { add: [OTHER], remove: [] }), {
        code,
      })
      assert.ok(out.destroyed)
    }
  })
})
