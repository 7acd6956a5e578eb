import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import {
  compressed,
  encrypted,
  encryptedBare,
  literal,
  marker,
  message,
  packet,
  PASSPHRASE,
  passphraseKey,
  slot,
  type Form,
} from '../../../test/support/gpg-forge.ts'
import { inPieces } from '../../../test/support/sealed.ts'
import { isSealiftError, type ErrorCode } from '../../errors.ts'
import { Secret } from '../../secret.ts'
import { readGpg } from './read.ts'

const secret = new Secret(PASSPHRASE)
const data = randomBytes(3000)

async function open(bytes: Buffer, passphrase: Secret | Buffer = secret, size = 1 << 20): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readGpg(inPieces(bytes, size), passphrase)))
}

async function errorOf(
  bytes: Buffer,
  passphrase?: Secret | Buffer,
): Promise<{ code: ErrorCode; text: string }> {
  const error: unknown = await open(bytes, passphrase).then(
    () => new Error('it was accepted'),
    (refusal: unknown) => refusal,
  )
  assert.ok(isSealiftError(error), String(error))
  return { code: error.code, text: error.message }
}

describe('a gpg message is read', () => {
  for (const s2k of [0, 1, 3] as const) {
    for (const hash of [2, 8, 9, 10, 11] as const) {
      it(`with string-to-key ${s2k} and hash ${hash}, for every AES`, async () => {
        for (const cipher of [7, 8, 9] as const) {
          const options = { cipher, hash, s2k }
          const key = passphraseKey(options)
          const bytes = Buffer.concat([slot(options), encrypted(literal(data), { cipher, key })])
          assert.deepEqual(await open(bytes), data)
        }
      })
    }
  }

  it('with a session key of its own, under another cipher', async () => {
    const key = randomBytes(16)
    const bytes = Buffer.concat([
      slot({ cipher: 9, wraps: { cipher: 7, key } }),
      encrypted(literal(data), { cipher: 7, key }),
    ])
    assert.deepEqual(await open(bytes), data)
  })

  it('by each of its passphrases, beside public keys and what is not known', async () => {
    const key = randomBytes(32)
    const wraps = { cipher: 9, key } as const
    const bytes = Buffer.concat([
      packet(1, Buffer.alloc(90, 3)),
      marker,
      packet(3, Buffer.from([5, 9, 2, 3, 8, ...Buffer.alloc(50)])),
      slot({ passphrase: 'one', wraps }),
      slot({ passphrase: 'two', wraps, cipher: 7, s2k: 1 }),
      encrypted(literal(data), { key }),
    ])
    assert.deepEqual(await open(bytes, new Secret('one')), data)
    assert.deepEqual(await open(bytes, new Secret('two')), data)
    assert.equal((await errorOf(bytes, new Secret('three'))).code, 'GPG_PASSPHRASE_WRONG')
  })

  for (const outer of ['new', 'new-5', 'partial'] as const) {
    for (const inner of ['new', 'new-5', 'partial', 'old-2', 'old-4', 'old-rest'] as const satisfies Form[]) {
      it(`with ${outer} lengths outside and ${inner} inside, in pieces of any size`, async () => {
        for (const size of [0, 1, 191, 192, 511, 512, 513, 3000]) {
          const part = data.subarray(0, size)
          const bytes = Buffer.concat([slot(), encrypted(literal(part, inner), { form: outer })])
          assert.deepEqual(await open(bytes), part)
          if (size < 600) assert.deepEqual(await open(bytes, secret, 1), part)
        }
      })
    }
  }

  it('with compressed packets, named literal packets and markers', async () => {
    const text = Buffer.alloc(20_000, 'the same words again and again; ')
    for (const algorithm of [0, 1, 2]) {
      for (const form of ['new', 'partial', 'old-rest'] as const) {
        const inner = Buffer.concat([marker, literal(text, 'partial', 'b', 'backup.tar.gz'), marker])
        const bytes = Buffer.concat([slot(), encrypted(compressed(algorithm, inner, form))])
        assert.deepEqual(await open(bytes), text)
        assert.deepEqual(await open(bytes, secret, 7), text)
      }
    }
  })

  it('with a passphrase of any bytes', async () => {
    const bytes = message(data)
    assert.deepEqual(await open(bytes, Buffer.from(PASSPHRASE)), data)
    assert.equal((await errorOf(bytes, Buffer.from(`${PASSPHRASE}\r`))).code, 'GPG_PASSPHRASE_WRONG')
  })
})

describe('a gpg message that is not read', () => {
  const refused: [string, Buffer, ErrorCode, RegExp][] = [
    ['Camellia', behind(packet(3, Buffer.from([4, 13, 0, 8]))), 'GPG_UNSUPPORTED', /Camellia-256/],
    ['MD5', behind(packet(3, Buffer.from([4, 9, 0, 1]))), 'GPG_UNSUPPORTED', /MD5/],
    ['Argon2', behind(packet(3, Buffer.from([4, 9, 4, ...Buffer.alloc(19)]))), 'GPG_UNSUPPORTED', /Argon2/],
    ['a slot with AEAD', behind(packet(3, Buffer.from([5, 9, 2]))), 'GPG_UNSUPPORTED', /version 5 \(AEAD\)/],
    ['AEAD', Buffer.concat([slot(), packet(20, Buffer.alloc(60))]), 'GPG_UNSUPPORTED', /AEAD .*\(tag 20\)/],
    ['version 2', message(data, { version: 2 }), 'GPG_UNSUPPORTED', /version 2 \(AEAD\)/],
    ['BZip2', inside(compressed(3, literal(data))), 'GPG_UNSUPPORTED', /BZip2/],
    ['compression twice', inside(compressed(1, compressed(2, literal(data)))), 'GPG_UNSUPPORTED', /tag 8/],
    ['a signature', inside(packet(4, Buffer.alloc(13, 3))), 'GPG_UNSUPPORTED', /one-pass signature .*tag 4/],
    ['text', inside(literal(data, 'new', 't')), 'GPG_UNSUPPORTED', /literal data packet of text/],
    ['an unknown packet', Buffer.concat([slot(), packet(60, data)]), 'GPG_UNSUPPORTED', /tag 60/],
    ['no slot', encrypted(literal(data)), 'GPG_UNSUPPORTED', /without a session packet/],
    [
      '20 slots',
      Buffer.concat([...Array(20).fill(slot()), message(data)]),
      'GPG_UNSUPPORTED',
      /more than 16/,
    ],
    [
      'no detection',
      Buffer.concat([slot(), encryptedBare(literal(data))]),
      'GPG_NOT_AUTHENTICATED',
      /detection/,
    ],
    [
      'public keys alone',
      Buffer.concat([packet(1, Buffer.alloc(90, 3)), encrypted(literal(data))]),
      'GPG_NO_PASSPHRASE',
      /secret key/,
    ],
    ['armor', Buffer.from('-----BEGIN PGP MESSAGE-----\n\njA0E'), 'GPG_UNSUPPORTED', /ASCII armor/],
    ['literal data', literal(data), 'GPG_NOT_A_MESSAGE', /literal data packet \(tag 11\)/],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, ...Buffer.alloc(100)]), 'GPG_NOT_A_MESSAGE', /no packet/],
    ['text in the clear', Buffer.from('-----BEGIN CERTIFICATE-----'), 'GPG_NOT_A_MESSAGE', /no packet/],
    ['nothing', Buffer.alloc(0), 'GPG_CUT', /byte 0/],
  ]
  for (const [what, bytes, code, text] of refused) {
    it(`is refused by name: ${what}`, async () => {
      const error = await errorOf(bytes)
      assert.equal(error.code, code)
      assert.match(error.text, text)
    })
  }

  it('is one that was changed, where the change makes it look like another kind', async () => {
    const bytes = Buffer.concat([slot(), encrypted(compressed(3, literal(data)), { mdc: Buffer.alloc(20) })])
    assert.equal((await errorOf(bytes)).code, 'GPG_CHANGED')
  })

  it('says its name', async () => {
    const reading = readGpg(inPieces(message(data).subarray(0, 99), 10), secret, { name: 'a.tar.gz.gpg' })
    await assert.rejects(Array.fromAsync(reading), {
      code: 'GPG_CUT',
      message: 'a.tar.gz.gpg is cut at byte 99',
    })
  })
})

describe('three failures are told apart', () => {
  it('a wrong passphrase, before anything of the data is read', async () => {
    let pieces = 0
    async function* input(): AsyncGenerator<Buffer> {
      for await (const piece of inPieces(message(Buffer.alloc(300_000), { form: 'partial' }), 100)) {
        pieces += 1
        yield piece
      }
    }
    await assert.rejects(Array.fromAsync(readGpg(input(), new Secret('wrong'))), {
      code: 'GPG_PASSPHRASE_WRONG',
    })
    assert.equal(pieces, 1)
  })

  it('a wrong passphrase whose prefix fits by chance', async () => {
    for (const first of [0x00, 0x7f, 0xc0, 0xcb, 0xc8, 0xff]) {
      const bytes = Buffer.concat([slot(), encrypted(Buffer.alloc(300, Buffer.from([first, 0x50])))])
      assert.equal((await errorOf(bytes)).code, 'GPG_PASSPHRASE_WRONG')
    }
  })

  it('a message that is cut, at every byte', async () => {
    for (const form of ['new', 'partial'] as const) {
      const bytes = message(data.subarray(0, 700), { form })
      for (let at = 0; at < bytes.length; at++) {
        const { code, text } = await errorOf(bytes.subarray(0, at))
        assert.equal(code, 'GPG_CUT', `at ${at}: ${text}`)
        assert.ok(text.endsWith(`is cut at byte ${at}`), text)
      }
    }
  })

  it('a message that was changed, at every byte', async () => {
    const bytes = Buffer.concat([slot(), encrypted(compressed(1, literal(data.subarray(0, 100))))])
    const body = slot().length + 3
    /** Up to which byte, what is there, and what a change of it looks like. */
    const places: [number, string, ErrorCode[]][] = [
      [2, 'the header of the slot', ['GPG_NOT_A_MESSAGE', 'GPG_UNSUPPORTED', 'GPG_CHANGED', 'GPG_CUT']],
      [slot().length, 'the slot', ['GPG_PASSPHRASE_WRONG', 'GPG_UNSUPPORTED', 'GPG_CHANGED']],
      [body - 2, 'the kind of data', ['GPG_UNSUPPORTED', 'GPG_CHANGED']],
      [body - 1, 'the length of the data', ['GPG_CUT', 'GPG_CHANGED']],
      [body, 'the version', ['GPG_UNSUPPORTED']],
      [body + 18, 'the prefix, by which the passphrase is judged', ['GPG_PASSPHRASE_WRONG']],
      [body + 26, 'the first packet, by which it is judged too', ['GPG_PASSPHRASE_WRONG', 'GPG_CHANGED']],
      [bytes.length, 'the data', ['GPG_CHANGED']],
    ]
    for (let at = 0; at < bytes.length; at++) {
      const [, what, allowed] = places.find(([end]) => at < end) ?? [0, '', []]
      for (const flip of [0x01, 0x80, 0xff]) {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ flip
        const { code } = await errorOf(copy)
        assert.ok(allowed.includes(code), `byte ${at} (${what}) with ${flip}: ${code}`)
      }
    }
  })

  it('a message with something behind it, or with two literal packets in it', async () => {
    const behind = await errorOf(Buffer.concat([message(data), Buffer.alloc(1)]))
    assert.equal(behind.code, 'GPG_CHANGED')
    assert.match(behind.text, /something follows the message at byte \d+/)
    assert.equal((await errorOf(inside(Buffer.concat([literal(data), literal(data)])))).code, 'GPG_CHANGED')
    const packed = compressed(1, literal(data))
    const longer = Buffer.concat([packed.subarray(3), Buffer.from('more')])
    assert.match((await errorOf(inside(packet(8, longer)))).text, /something follows its compressed data/)
  })

  it('a message whose inner packets contradict it, though its code is right', async () => {
    for (const packets of [
      marker,
      literal(data).subarray(0, 500),
      compressed(2, literal(data)).subarray(0, 500),
    ]) {
      assert.equal((await errorOf(inside(packets))).code, 'GPG_CHANGED')
    }
  })
})

describe('reading a gpg message', () => {
  const long = message(Buffer.alloc(300_000), { form: 'partial' })

  it('gives data before the end is there, and holds back the last bytes', async () => {
    const reading = readGpg(inPieces(long, 1000), secret)
    const first = await reading.next()
    assert.equal(first.done, false)
    await reading.return()
  })

  it('closes its input when it is left, when it fails and when it ends', async () => {
    for (const [bytes, count] of [
      [long, 1],
      [long, 1e9],
      [long.subarray(0, 9999), 1e9],
    ] as const) {
      let closed = false
      async function* input(): AsyncGenerator<Buffer> {
        try {
          yield* inPieces(bytes, 1000)
        } finally {
          closed = true
        }
      }
      let left: number = count
      try {
        for await (const piece of readGpg(input(), secret)) {
          assert.ok(piece.length > 0)
          if (--left === 0) break
        }
      } catch (error) {
        assert.ok(isSealiftError(error, 'GPG_CUT'))
      }
      assert.ok(closed)
    }
  })

  it('passes an error of its input on as it is, through compression too', async () => {
    const failure = new Error('the disk is gone')
    for (const bytes of [
      long,
      Buffer.concat([slot(), encrypted(compressed(1, literal(randomBytes(200_000))))]),
    ]) {
      async function* input(): AsyncGenerator<Buffer> {
        yield* inPieces(bytes.subarray(0, 90_000), 1000)
        throw failure
      }
      await assert.rejects(Array.fromAsync(readGpg(input(), secret)), (error) => error === failure)
    }
  })

  it('stops when it is told to, though the input stalls', async () => {
    const stop = new AbortController()
    const stalled = new Readable({ read: () => undefined })
    stalled.push(long.subarray(0, 5000))
    const reading = readGpg(stalled, secret, { signal: stop.signal })
    assert.equal((await reading.next()).done, false)
    const next = Array.fromAsync(reading)
    const reason = new Error('told to stop')
    stop.abort(reason)
    await assert.rejects(next, (error) => error === reason)
    assert.ok(stalled.destroyed)
  })
})

function behind(first: Buffer): Buffer {
  return Buffer.concat([first, encrypted(literal(data))])
}

function inside(packets: Buffer): Buffer {
  return Buffer.concat([slot(), encrypted(packets)])
}
