import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { drawing, MASTER_A, MASTER_B, vectors } from '../../../test/support/bilbycast-keys.ts'
import { Secret } from '../../secret.ts'
import { legacyCodec, v1Codec } from './blob.ts'
import { openGcm, sealGcm } from './gcm.ts'
import { deriveKeys, domainKey, DOMAINS } from './key-derivation.ts'
import { bilbycastKeyring } from './keyring.ts'

const keys = deriveKeys(MASTER_A)
const ring = bilbycastKeyring(MASTER_A, randomBytes)
const { v1_example: v1, legacy_example: legacy } = vectors

test('every key of the known answers is derived', () => {
  const { 'aes-256-gcm-encryption': legacyKey, ...domains } = vectors.keks
  assert.equal(keys.legacy.toString('hex'), legacyKey)
  assert.deepEqual(
    Object.fromEntries([...keys.domains].map(([domain, key]) => [domain, key.toString('hex')])),
    domains,
  )
  assert.deepEqual([...keys.domains.keys()], [...DOMAINS])
})

test('the master key is its text: decoded, in capitals or longer it is another one', () => {
  const text = MASTER_B.reveal()
  const others = [Buffer.from(text, 'hex').toString('latin1'), text.toUpperCase(), `${text} `]
  const checks = new Set([text, ...others].map((one) => deriveKeys(new Secret(one)).check))
  assert.equal(checks.size, 4)
})

test('the key check is 16 bytes of a key of its own', () => {
  assert.match(keys.check, /^[0-9a-f]{32}$/)
  assert.equal(ring.check, keys.check)
  assert.ok(!Object.values(vectors.keks).some((key) => key.startsWith(keys.check)))
})

test('the v1 blob of the known answers, both ways', () => {
  const codec = v1Codec(keys, drawing(v1.dek_hex, v1.dek_nonce_hex, v1.data_nonce_hex))
  assert.equal(codec.wrap(v1.domain, new Secret(v1.plaintext)), v1.blob)
  assert.equal(Buffer.from(v1.blob.slice(3), 'base64').length, v1.raw_len)
  assert.deepEqual(opened(v1.domain, v1.blob), { codec: 'v1', text: v1.plaintext })
})

test('the legacy blob of the known answers opens in every domain', () => {
  for (const domain of DOMAINS)
    assert.deepEqual(opened(domain, legacy.blob), { codec: 'legacy', text: legacy.plaintext })
  const sealed = sealGcm(keys.legacy, Buffer.from(legacy.nonce_hex, 'hex'), Buffer.from(legacy.plaintext))
  assert.equal(Buffer.concat([Buffer.from(legacy.nonce_hex, 'hex'), sealed]).toString('base64'), legacy.blob)
})

test('what is wrapped is v1, is fresh each time, and opens to the same text', () => {
  for (const text of ['', 'x', 'žluťoučký 🐎\n\t\0', '\uFEFFbom', 'y'.repeat(100_000)]) {
    const [one, other] = [
      ring.wrap('kek:ai-key', new Secret(text)),
      ring.wrap('kek:ai-key', new Secret(text)),
    ]
    assert.notEqual(one, other)
    assert.equal(Buffer.from(one.slice(3), 'base64').length, 88 + Buffer.byteLength(text))
    assert.deepEqual(opened('kek:ai-key', one), { codec: 'v1', text })
  }
})

test('another domain or another master key opens nothing', () => {
  const blob = ring.wrap('kek:tunnel', new Secret('x'))
  const other = bilbycastKeyring(MASTER_B, randomBytes)
  assert.deepEqual(ring.open('kek:ai-key', blob), { refused: 'key-or-change', codec: 'v1' })
  assert.deepEqual(other.open('kek:tunnel', blob), { refused: 'key-or-change', codec: 'v1' })
  assert.deepEqual(other.open('kek:tunnel', legacy.blob), { refused: 'key-or-change', codec: 'legacy' })
})

test('each way of being undecryptable has its own name', () => {
  const latin = Buffer.from([0x6f, 0xff])
  const badText = Buffer.concat([Buffer.alloc(12), sealGcm(keys.legacy, Buffer.alloc(12), latin)])
  const cases: readonly [string, object][] = [
    ['v2:AAAA', { refused: 'unknown-prefix' }],
    ['v1:not base64', { refused: 'not-base64', codec: 'v1' }],
    ['not base64', { refused: 'not-base64', codec: 'legacy' }],
    [v1.blob.slice(0, -1), { refused: 'not-base64', codec: 'v1' }],
    [v1.blob.replaceAll('+', '-').replaceAll('/', '_'), { refused: 'not-base64', codec: 'v1' }],
    ['v1:', { refused: 'too-short', codec: 'v1' }],
    [`v1:${Buffer.alloc(87).toString('base64')}`, { refused: 'too-short', codec: 'v1' }],
    ['', { refused: 'too-short', codec: 'legacy' }],
    [Buffer.alloc(27).toString('base64'), { refused: 'too-short', codec: 'legacy' }],
    [badText.toString('base64'), { refused: 'not-utf8', codec: 'legacy' }],
  ]
  for (const [stored, answer] of cases) assert.deepEqual(ring.open('kek:tunnel', stored), answer, stored)
})

test('every changed byte of a blob is refused', () => {
  for (const [prefix, blob] of [
    ['v1:', v1.blob.slice(3)],
    ['', legacy.blob],
  ] as const) {
    const raw = Buffer.from(blob, 'base64')
    for (let at = 0; at < raw.length; at++) {
      const changed = Buffer.from(raw)
      changed[at] = (changed[at] ?? 0) ^ 1
      const answer = ring.open(v1.domain, prefix + changed.toString('base64'))
      assert.equal('refused' in answer && answer.refused, 'key-or-change', `byte ${at}`)
    }
  }
})

test('a domain without a key is a fault of ours, and no secret shows in a keyring', () => {
  assert.throws(() => domainKey(keys, 'kek:nothing'), { code: 'BUG' })
  assert.ok(!('wrap' in legacyCodec(keys)))
  assert.equal(openGcm(keys.legacy, Buffer.alloc(12), Buffer.alloc(16)), undefined)
  const answer = ring.open(v1.domain, v1.blob)
  assert.ok(!JSON.stringify(answer).includes(v1.plaintext))
})

function opened(domain: string, stored: string): object {
  const answer = ring.open(domain, stored)
  return 'secret' in answer ? { codec: answer.codec, text: answer.secret.reveal() } : answer
}
