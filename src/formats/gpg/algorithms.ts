/** The registries of OpenPGP (RFC 9580 §9), as far as a `gpg --symmetric` message has to do with them. */

export interface SymmetricCipher {
  /** Its name for node:crypto. All of them have blocks of 16 bytes. */
  readonly name: 'aes-128-cfb' | 'aes-192-cfb' | 'aes-256-cfb'
  /** Bytes of its key. */
  readonly keySize: number
}

export const AES_256 = 9
export const SHA_512 = 10

const ciphers: Readonly<Record<number, SymmetricCipher>> = {
  7: { name: 'aes-128-cfb', keySize: 16 },
  8: { name: 'aes-192-cfb', keySize: 24 },
  [AES_256]: { name: 'aes-256-cfb', keySize: 32 },
}

const otherCiphers: Readonly<Record<number, string>> = {
  0: 'no cipher',
  1: 'IDEA',
  2: 'Triple-DES',
  3: 'CAST5',
  4: 'Blowfish',
  10: 'Twofish',
  11: 'Camellia-128',
  12: 'Camellia-192',
  13: 'Camellia-256',
}

const hashes: Readonly<Record<number, string>> = {
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  [SHA_512]: 'sha512',
  11: 'sha224',
}

const otherHashes: Readonly<Record<number, string>> = {
  1: 'MD5',
  3: 'RIPEMD-160',
  12: 'SHA3-256',
  14: 'SHA3-512',
}

/** The cipher of this number; a string names one that is not read here. */
export const cipherOf = (number: number): SymmetricCipher | string =>
  ciphers[number] ?? `the cipher ${otherCiphers[number] ?? number}`

/** The name for node:crypto of the hash of this number; `unsupported` names one that is not read here. */
export function hashOf(number: number): { name: string } | { unsupported: string } {
  const name = hashes[number]
  return name === undefined
    ? { unsupported: `the passphrase hash ${otherHashes[number] ?? number}` }
    : { name }
}
