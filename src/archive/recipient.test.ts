import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SealiftError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { generateKeypair, parseRecipient, parseSecret, recipientOf } from './recipient.ts'

describe('text forms of keys [K-2]', () => {
  const { recipient, secret } = generateKeypair(() => Buffer.alloc(32, 1))

  it('begin with what they are, and fit in one line', () => {
    assert.match(recipient, /^sealift-recipient-v1:[\w-]{1622}$/)
    assert.match(secret.reveal(), /^SEALIFT-SECRET-V1:[\w-]{48}$/)
  })

  it('belong together', () => {
    assert.equal(recipientOf(secret), recipient)
    assert.equal(parseRecipient(recipient).length, 1_216)
    assert.deepEqual(parseSecret(secret), Buffer.alloc(32, 1))
  })

  it('are new for each pair', () => {
    assert.notEqual(generateKeypair().recipient, generateKeypair().recipient)
  })

  it('refuse a secret with one wrong character, and do not repeat it', () => {
    const text = secret.reveal()
    for (let at = 'SEALIFT-SECRET-V1:'.length; at < text.length; at++) {
      const wrong = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      assert.throws(
        () => parseSecret(new Secret(wrong)),
        (error) =>
          error instanceof SealiftError && error.code === 'KEY_INVALID' && !error.message.includes(wrong),
      )
    }
  })

  it('refuse what is no recipient', () => {
    for (const text of [
      '',
      'age1xyz',
      secret.reveal(),
      recipient.slice(0, -4),
      `${recipient} `,
      `${recipient}=`,
    ]) {
      assert.throws(() => parseRecipient(text), { code: 'KEY_INVALID' })
    }
  })
})
