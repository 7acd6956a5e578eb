import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { after, describe, it } from 'node:test'
import { isSealiftError, type ErrorCode } from '../../src/errors.ts'
import { readGpg } from '../../src/formats/gpg/read.ts'
import { compressed, encrypted, literal, message, PASSPHRASE, slot } from '../support/gpg-forge.ts'
import { gpgHome } from '../support/gpg-home.ts'
import { inPieces } from '../support/sealed.ts'

const home = await gpgHome()
after(() => home[Symbol.asyncDispose]())

const passphrase = Buffer.from(PASSPHRASE)

/** What came of it: all plaintext that was released, and the code of the error that ended it. */
async function outcome(bytes: Buffer, piece = 65_536): Promise<{ plain: Buffer; code?: ErrorCode }> {
  const parts: Buffer[] = []
  try {
    for await (const part of readGpg(inPieces(bytes, piece), passphrase)) parts.push(part)
  } catch (error) {
    if (!isSealiftError(error)) throw error
    assert.notEqual(error.kind, 'bug')
    return { plain: Buffer.concat(parts), code: error.code }
  }
  return { plain: Buffer.concat(parts) }
}

/** gpg's own messages of a file and of a pipe, uncompressed and compressed. */
async function messages(data: Buffer): Promise<Buffer[]> {
  const args = ['--symmetric', '--cipher-algo', 'AES256', '--s2k-count', '65536']
  await writeFile(home.join('plain'), data)
  home.gpg([...args, '--compress-algo', 'none', '--output', home.join('out.gpg'), home.join('plain')])
  return [await readFile(home.join('out.gpg')), home.gpg(args, data)]
}

describe('a message of gpg that is damaged is refused as what it is', () => {
  it('cut at every byte of a small one', async () => {
    for (const bytes of await messages(Buffer.from('a small file, in a few words'))) {
      for (let at = 0; at < bytes.length; at++)
        assert.equal((await outcome(bytes.subarray(0, at))).code, 'GPG_CUT', `at ${at}`)
    }
  })

  it('cut at many places of a large one, and what was released before is a prefix', async () => {
    const data = randomBytes(300_000)
    for (const bytes of await messages(data)) {
      for (let at = 0; at < bytes.length; at += 4999) {
        const { plain, code } = await outcome(bytes.subarray(0, at))
        assert.equal(code, 'GPG_CUT', `at ${at}`)
        assert.ok(data.subarray(0, plain.length).equals(plain))
      }
    }
  })

  it('with any byte of a small one changed', async () => {
    for (const bytes of await messages(Buffer.from('a small file, in a few words'))) {
      const body = bytes.indexOf(0xd2) + 3
      for (let at = 0; at < bytes.length; at++) {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ 0x04
        const { code } = await outcome(copy)
        assert.notEqual(code, undefined, `byte ${at}`)
        if (at >= body && at < body + 18) assert.equal(code, 'GPG_PASSPHRASE_WRONG', `byte ${at}`)
        if (at >= body + 26) assert.equal(code, 'GPG_CHANGED', `byte ${at}`)
      }
    }
  })

  it('with bytes changed in the middle, at the end, and behind it', async () => {
    const data = randomBytes(300_000)
    for (const bytes of await messages(data)) {
      for (const at of [5000, 150_000, bytes.length - 22, bytes.length - 1]) {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ 1
        assert.equal((await outcome(copy)).code, 'GPG_CHANGED', `byte ${at}`)
      }
      assert.equal((await outcome(Buffer.concat([bytes, bytes]))).code, 'GPG_CHANGED')
    }
  })
})

/** mulberry32: the same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function mutated(bytes: Buffer, below: (limit: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = below(copy.length)
  switch (below(6)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
      return copy
    case 1:
      copy[at] = below(256)
      return copy
    case 2:
      return copy.subarray(0, at)
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + below(20))])
    case 4:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(below(copy.length), copy.length)])
    default:
      return Buffer.concat([copy.subarray(0, at), Buffer.alloc(1 + below(20), below(256)), copy.subarray(at)])
  }
}

it('20,000 mutations end in an error of their own or in the plaintext, and never in another', async () => {
  const data = Buffer.from('a small file, in a few words. '.repeat(10))
  const seeds = [
    message(data),
    message(data, { form: 'partial' }),
    Buffer.concat([slot({ s2k: 0, hash: 2 }), encrypted(compressed(1, literal(data, 'old-rest')))]),
    Buffer.concat([slot(), slot({ passphrase: 'another' }), encrypted(compressed(2, literal(data)))]),
  ]
  const below = numbers(20_260_514)
  const codes = new Map<string, number>()
  for (let round = 0; round < 20_000; round++) {
    const original = seeds[round % seeds.length] ?? Buffer.alloc(0)
    const bytes = mutated(original, below)
    const { plain, code } = await outcome(bytes, 1 + below(200))
    if (code === undefined) assert.ok(plain.equals(data), `round ${round}`)
    codes.set(code ?? 'accepted', (codes.get(code ?? 'accepted') ?? 0) + 1)
  }
  for (const code of [
    'GPG_CHANGED',
    'GPG_CUT',
    'GPG_PASSPHRASE_WRONG',
    'GPG_UNSUPPORTED',
    'GPG_NOT_A_MESSAGE',
  ])
    assert.ok((codes.get(code) ?? 0) > 0, `${code} in ${JSON.stringify([...codes])}`)
})
