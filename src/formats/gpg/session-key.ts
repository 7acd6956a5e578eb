import { createDecipheriv } from 'node:crypto'
import { cipherOf, type SymmetricCipher } from './algorithms.ts'
import { decodeStringToKey, stringToKey, type StringToKey } from './s2k.ts'

/** The IV of every OpenPGP CFB stream; the random prefix of the data stands for it. */
export const ZERO_IV = Buffer.alloc(16)

/** A symmetric-key encrypted session key packet, version 4 (RFC 9580 §5.3.1): one passphrase that opens the message. */
export interface PassphraseSlot {
  readonly cipher: SymmetricCipher
  /** What the packet says, as RFC 9580 §9 numbers it. */
  readonly numbers: { readonly cipher: number; readonly s2k: number; readonly hash: number }
  readonly s2k: StringToKey
  /** The session key under the passphrase's key; without it the passphrase's key is the session key. */
  readonly wrapped?: Buffer
}

export interface SessionKey {
  readonly cipher: SymmetricCipher
  readonly key: Buffer
}

export function decodePassphraseSlot(
  body: Buffer,
): PassphraseSlot | { readonly unsupported: string } | 'broken' {
  const [version, cipherNumber] = body
  if (version === undefined) return 'broken'
  if (version !== 4)
    return {
      unsupported: `a symmetric-key session packet of version ${version}${version === 5 ? ' (AEAD)' : ''}`,
    }
  if (cipherNumber === undefined) return 'broken'
  const cipher = cipherOf(cipherNumber)
  if (typeof cipher === 'string') return { unsupported: cipher }
  const decoded = decodeStringToKey(body.subarray(2))
  if (decoded === 'short') return 'broken'
  if ('unsupported' in decoded) return decoded
  const wrapped = body.subarray(2 + decoded.size)
  const numbers = { cipher: cipherNumber, s2k: body[2] ?? 0, hash: body[3] ?? 0 }
  return { cipher, numbers, s2k: decoded.s2k, ...(wrapped.length === 0 ? {} : { wrapped }) }
}

/**
 * The session key that this passphrase gives, if it gives one: a wrapped key must name a cipher and have its length.
 * That a key comes out says nothing yet; the beginning of the data decides.
 */
export async function sessionKey(
  { cipher, s2k, wrapped }: PassphraseSlot,
  passphrase: Buffer,
  signal?: AbortSignal,
): Promise<SessionKey | undefined> {
  const key = await stringToKey(s2k, passphrase, cipher.keySize, signal)
  if (wrapped === undefined) return { cipher, key }
  const opened = createDecipheriv(cipher.name, key, ZERO_IV).update(wrapped)
  const inner = cipherOf(opened[0] ?? 0)
  if (typeof inner === 'string' || opened.length !== 1 + inner.keySize) return undefined
  return { cipher: inner, key: opened.subarray(1) }
}
