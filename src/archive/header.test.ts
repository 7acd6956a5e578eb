import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Forge, passphraseKey, RECIPIENT } from '../../spec/vectors/forge.ts'
import { cheapSlot } from '../../spec/vectors/cheap-slot.ts'
import { isSealiftError } from '../errors.ts'
import { encodeHeader, MAC_SIZE, readHeader } from './header.ts'
import { inspectHeader, openFile } from './index.ts'
import { MemoryFile } from '../../test/support/sealed.ts'

const forge = new Forge('header')
const sound = await forge.header({
  slots: [RECIPIENT],
  changeSlots: (slots) => [
    ...slots,
    cheapSlot('x', forge),
    { type: 'unknown', value: { type: 'new', ['1']: [null, { a: 'é' }] } as never },
  ],
})

const read = (bytes: Buffer) => {
  let at = 0
  return readHeader(async (size) => bytes.subarray(at, (at += size)), undefined)
}

describe('a header', () => {
  it('is the same when it is written again, or is refused [H-4]', async () => {
    assert.deepEqual(encodeHeader((await read(sound)).header), sound.subarray(0, -MAC_SIZE))
    let accepted = 0
    for (let at = 12; at < sound.length - MAC_SIZE; at++) {
      for (const byte of [0x20, 0x22, (sound[at] ?? 0) ^ 1]) {
        const changed = Buffer.from(sound)
        changed[at] = byte
        try {
          const { header } = await read(changed)
          accepted++
          assert.deepEqual(encodeHeader(header), changed.subarray(0, -MAC_SIZE), `byte ${at}`)
        } catch (error) {
          assert.ok(
            isSealiftError(error, 'HEADER_INVALID') || isSealiftError(error, 'ARCHIVE_TOO_NEW'),
            String(error),
          )
        }
      }
    }
    assert.ok(accepted > 100)
  })

  it('is shown without a key, slots of unknown types too', async () => {
    const { slots, headerSize } = await inspectHeader(new MemoryFile(sound))
    assert.deepEqual(slots, [
      { type: 'recipient', kem: 'x-wing', id: slots[0]?.type === 'recipient' ? slots[0].id : '' },
      { type: 'passphrase', kdf: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 },
      { type: 'unknown', name: 'new' },
    ])
    assert.equal(headerSize, sound.length)
  })

  it('costs no memory and no time when it is hostile', async () => {
    const json = (text: string) => forge.headerOf(Buffer.from(text))
    const deep = '['.repeat(32_000)
    const hostile = [
      json(`{"format":1,"slots":${deep}`),
      json(`{"a":${'{"a":'.repeat(12_000)}`),
      json(`"${'\\'.repeat(60_000)}`),
      await forge.header({ changeSlots: () => [{ ...cheapSlot('x', forge), memoryKib: 2 ** 40 }] }),
      await forge.header({ changeSlots: () => [{ ...cheapSlot('x', forge), passes: 2 ** 32 - 1 }] }),
      await forge.header({ changeSlots: () => [{ ...cheapSlot('x', forge), lanes: 2 ** 24 - 1 }] }),
      Buffer.concat([sound.subarray(0, 8), Buffer.from('ffffffff', 'hex'), sound]),
    ]
    const before = process.memoryUsage()
    for (const bytes of hostile) {
      const sizes: number[] = []
      const file = {
        size: bytes.length,
        read: async (offset: number, length: number) => {
          sizes.push(length)
          return bytes.subarray(offset, offset + length)
        },
      }
      await assert.rejects(openFile(file, [passphraseKey('x')]), { code: 'HEADER_INVALID' })
      assert.ok(Math.max(...sizes) <= 65_536 + MAC_SIZE)
    }
    const after = process.memoryUsage()
    assert.ok(after.rss - before.rss < 32 * 1_048_576, `${after.rss - before.rss} bytes`)
  })
})
