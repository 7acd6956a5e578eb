import type { Codec, Unopened } from '../../rows/keyring.ts'
import { Secret } from '../../secret.ts'
import { NONCE_SIZE, openGcm, sealGcm, TAG_SIZE } from './gcm.ts'
import { domainKey, type DerivedKeys } from './key-derivation.ts'

const PREFIX = 'v1:'
const KEY_SIZE = 32
const WRAPPED_SIZE = KEY_SIZE + TAG_SIZE
const V1_OVERHEAD = NONCE_SIZE + WRAPPED_SIZE + NONCE_SIZE + TAG_SIZE

/**
 * `v1:` and base64 of dek_nonce ‖ wrapped_dek ‖ data_nonce ‖ ciphertext ‖ tag: a key of its own for each value, itself
 * under the key of the domain (bilbycast.md §3). `v1:` is a format, not a key id.
 */
export function v1Codec(keys: DerivedKeys, random: (size: number) => Buffer): Required<Codec> {
  return {
    name: 'v1',
    recognises: (stored) => stored.startsWith(PREFIX),
    open(domain, stored) {
      const raw = fromBase64(stored.slice(PREFIX.length))
      if (raw === undefined) return 'not-base64'
      if (raw.length < V1_OVERHEAD) return 'too-short'
      const wrappedEnd = NONCE_SIZE + WRAPPED_SIZE
      const kek = domainKey(keys, domain)
      const dek = openGcm(kek, raw.subarray(0, NONCE_SIZE), raw.subarray(NONCE_SIZE, wrappedEnd))
      if (dek === undefined) return 'key-or-change'
      return textOf(
        openGcm(
          dek,
          raw.subarray(wrappedEnd, wrappedEnd + NONCE_SIZE),
          raw.subarray(wrappedEnd + NONCE_SIZE),
        ),
      )
    },
    wrap(domain, secret) {
      const kek = domainKey(keys, domain)
      const dek = random(KEY_SIZE)
      const dekNonce = random(NONCE_SIZE)
      const dataNonce = random(NONCE_SIZE)
      const wrapped = sealGcm(kek, dekNonce, dek)
      const data = sealGcm(dek, dataNonce, Buffer.from(secret.reveal()))
      return PREFIX + Buffer.concat([dekNonce, wrapped, dataNonce, data]).toString('base64')
    },
  }
}

/** Without a prefix: base64 of nonce ‖ ciphertext ‖ tag, under one key whatever the domain. Read, never written. */
export function legacyCodec(keys: DerivedKeys): Codec {
  return {
    name: 'legacy',
    // No base64 has a colon: what has one carries the prefix of a format that is not known here.
    recognises: (stored) => !stored.includes(':'),
    open(_domain, stored) {
      const raw = fromBase64(stored)
      if (raw === undefined) return 'not-base64'
      if (raw.length < NONCE_SIZE + TAG_SIZE) return 'too-short'
      return textOf(openGcm(keys.legacy, raw.subarray(0, NONCE_SIZE), raw.subarray(NONCE_SIZE)))
    },
  }
}

/** Standard base64 with padding, and nothing that another decoder would read otherwise. */
function fromBase64(text: string): Buffer | undefined {
  const raw = Buffer.from(text, 'base64')
  return raw.toString('base64') === text ? raw : undefined
}

function textOf(plaintext: Buffer | undefined): Secret | Unopened {
  if (plaintext === undefined) return 'key-or-change'
  try {
    return new Secret(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext))
  } catch {
    // Its own error is of no use, and nothing of a secret belongs into one.
    return 'not-utf8'
  }
}
