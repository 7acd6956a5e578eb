import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  PUBLISHED_CIPHERTEXT,
  PUBLISHED_SEED,
  PUBLISHED_SHARED_SECRET,
} from '../../spec/vectors/xwing-draft.ts'
import { CIPHERTEXT_SIZE, decapsulate, encapsulate, PUBLIC_KEY_SIZE, publicKeyOf } from './xwing.ts'

describe('X-Wing', () => {
  const seed = Buffer.from(PUBLISHED_SEED, 'hex')

  it('gives the shared secret that the draft publishes', () => {
    const secret = decapsulate(seed, Buffer.from(PUBLISHED_CIPHERTEXT, 'hex'))
    assert.equal(secret.toString('hex'), PUBLISHED_SHARED_SECRET)
  })

  it('gives the public key that the draft publishes', () => {
    const key = publicKeyOf(seed).toString('hex')
    assert.equal(key.length, 2 * PUBLIC_KEY_SIZE)
    assert.ok(key.startsWith('e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d'))
    assert.ok(key.endsWith('eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534'))
  })

  it('opens what it encapsulates, with another ciphertext each time', () => {
    const [one, two] = [encapsulate(publicKeyOf(seed)), encapsulate(publicKeyOf(seed))]
    assert.equal(one.ciphertext.length, CIPHERTEXT_SIZE)
    assert.ok(!one.ciphertext.equals(two.ciphertext))
    assert.deepEqual(decapsulate(seed, one.ciphertext), one.sharedSecret)
    assert.deepEqual(decapsulate(seed, two.ciphertext), two.sharedSecret)
  })

  it('gives another key another secret', () => {
    const { ciphertext, sharedSecret } = encapsulate(publicKeyOf(seed))
    assert.notDeepEqual(decapsulate(Buffer.alloc(32, 7), ciphertext), sharedSecret)
  })
})
