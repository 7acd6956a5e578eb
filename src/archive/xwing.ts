import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate as decapsulateMlkem,
  diffieHellman,
  encapsulate as encapsulateMlkem,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

/**
 * X-Wing, the hybrid of X25519 and ML-KEM-768 (draft-connolly-cfrg-xwing-kem-10): safe while either of the two is.
 * Sizes in bytes.
 */
export const SEED_SIZE = 32
export const PUBLIC_KEY_SIZE = 1_216
export const CIPHERTEXT_SIZE = 1_120

const MLKEM_PUBLIC_KEY_SIZE = 1_184
const MLKEM_CIPHERTEXT_SIZE = 1_088
const LABEL = Buffer.from('5c2e2f2f5e5c', 'hex')

export interface Encapsulation {
  readonly ciphertext: Buffer
  readonly sharedSecret: Buffer
}

/** The public key that belongs to a 32-byte seed. */
export const publicKeyOf = (seed: Buffer): Buffer => expand(seed).publicKey

/** A fresh shared secret, and the ciphertext that gives it to the holder of the seed. Throws where ML-KEM refuses the key. */
export function encapsulate(publicKey: Buffer): Encapsulation {
  const mlkem = rawPublicKey('ml-kem-768', publicKey.subarray(0, MLKEM_PUBLIC_KEY_SIZE))
  const x25519 = publicKey.subarray(MLKEM_PUBLIC_KEY_SIZE)
  const inner = encapsulateMlkem(mlkem)
  const ephemeral = generateKeyPairSync('x25519')
  const ephemeralPublic = ephemeral.publicKey.export({ format: 'raw-public' })
  const outer = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: rawPublicKey('x25519', x25519) })
  return {
    ciphertext: Buffer.concat([inner.ciphertext, ephemeralPublic]),
    sharedSecret: combine(inner.sharedKey, outer, ephemeralPublic, x25519),
  }
}

/** The shared secret of a ciphertext; another, useless one where it was made for another key. */
export function decapsulate(seed: Buffer, ciphertext: Buffer): Buffer {
  const { mlkem, x25519, publicKey } = expand(seed)
  const ephemeral = ciphertext.subarray(MLKEM_CIPHERTEXT_SIZE)
  const inner = decapsulateMlkem(mlkem, ciphertext.subarray(0, MLKEM_CIPHERTEXT_SIZE))
  const outer = diffieHellman({ privateKey: x25519, publicKey: rawPublicKey('x25519', ephemeral) })
  return combine(inner, outer, ephemeral, publicKey.subarray(MLKEM_PUBLIC_KEY_SIZE))
}

function expand(seed: Buffer): { mlkem: KeyObject; x25519: KeyObject; publicKey: Buffer } {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest()
  const mlkem = createPrivateKey({
    key: expanded.subarray(0, 64),
    format: 'raw-seed',
    asymmetricKeyType: 'ml-kem-768',
  })
  const x25519 = createPrivateKey({
    key: expanded.subarray(64),
    format: 'raw-private',
    asymmetricKeyType: 'x25519',
  })
  const publicKey = Buffer.concat(
    [mlkem, x25519].map((key) => createPublicKey(key).export({ format: 'raw-public' })),
  )
  return { mlkem, x25519, publicKey }
}

const rawPublicKey = (asymmetricKeyType: 'ml-kem-768' | 'x25519', key: Buffer): KeyObject =>
  createPublicKey({ key, format: 'raw-public', asymmetricKeyType })

function combine(inner: Buffer, outer: Buffer, ephemeral: Buffer, publicKey: Buffer): Buffer {
  return createHash('sha3-256')
    .update(inner)
    .update(outer)
    .update(ephemeral)
    .update(publicKey)
    .update(LABEL)
    .digest()
}
