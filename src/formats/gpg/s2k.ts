import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { hashOf } from './algorithms.ts'

/**
 * String-to-key: how a passphrase becomes a key (RFC 9580 §3.7). `count` is how many bytes of salt and passphrase are
 * hashed; 0 is once. The format itself ends it at 65,011,712, so that no file can ask for more than a fraction of a
 * second.
 */
export interface StringToKey {
  /** The hash's name for node:crypto. */
  readonly hash: string
  readonly salt: Buffer
  readonly count: number
}

/** The largest count that can be said, and gpg's choice on a fast machine. */
export const COUNT_LIMIT = 65_011_712
export const CODED_COUNT_LIMIT = 0xff
export const SALT_SIZE = 8

const SIMPLE = 0
const SALTED = 1
export const ITERATED = 3

export type DecodedStringToKey =
  { readonly s2k: StringToKey; readonly size: number } | { readonly unsupported: string } | 'short'

/** The specifier at the beginning of `bytes`, and how many of them it has. */
export function decodeStringToKey(bytes: Buffer): DecodedStringToKey {
  const [type, hashNumber] = bytes
  if (type === undefined) return 'short'
  if (type !== SIMPLE && type !== SALTED && type !== ITERATED)
    return { unsupported: `the string-to-key type ${type === 4 ? 'Argon2' : type}` }
  if (hashNumber === undefined) return 'short'
  const hash = hashOf(hashNumber)
  if ('unsupported' in hash) return hash
  const size = type === SIMPLE ? 2 : type === SALTED ? 2 + SALT_SIZE : 3 + SALT_SIZE
  if (bytes.length < size) return 'short'
  const salt = bytes.subarray(2, type === SIMPLE ? 2 : 2 + SALT_SIZE)
  const coded = bytes[2 + SALT_SIZE] ?? 0
  const count = type === ITERATED ? (16 + (coded & 15)) << ((coded >> 4) + 6) : 0
  return { s2k: { hash: hash.name, salt, count }, size }
}

const STEP = 65_536
const STEPS_AT_ONCE = 64

/** The key of `size` bytes. Hashes in steps, so that others are served and an abort is seen. */
export async function stringToKey(
  { hash, salt, count }: StringToKey,
  passphrase: Buffer,
  size: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const unit = Buffer.concat([salt, passphrase])
  const total = Math.max(count, unit.length)
  const block = unit.length === 0 ? unit : Buffer.alloc(Math.ceil(STEP / unit.length) * unit.length, unit)
  const key: Buffer[] = []
  for (let made = 0; made < size;) {
    // A hash that is shorter than the key is taken again, with one more byte of zero before it each time.
    const hasher = createHash(hash).update(Buffer.alloc(key.length))
    for (let left = total, step = 1; left > 0; left -= block.length, step++) {
      hasher.update(left < block.length ? block.subarray(0, left) : block)
      if (step % STEPS_AT_ONCE === 0) await setImmediate()
      signal?.throwIfAborted()
    }
    const part = hasher.digest()
    key.push(part)
    made += part.length
  }
  return Buffer.concat(key).subarray(0, size)
}
