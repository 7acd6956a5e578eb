import { readFileSync } from 'node:fs'
import { Secret } from '../../src/secret.ts'

/** Known answers for the key derivation and the secret blobs of bilbycast-manager. */
export interface BilbycastVectors {
  readonly master_key: string
  readonly keks: Readonly<Record<string, string>>
  readonly v1_example: Readonly<
    Record<'domain' | 'plaintext' | 'dek_hex' | 'dek_nonce_hex' | 'data_nonce_hex' | 'blob', string>
  > & { readonly raw_len: number }
  readonly legacy_example: Readonly<Record<'key' | 'plaintext' | 'nonce_hex' | 'blob', string>>
  readonly argon2id: Readonly<Record<'passphrase' | 'salt_hex' | 'key_hex', string>>
}

export const vectors = JSON.parse(
  readFileSync(new URL('bilbycast-vectors.json', import.meta.url), 'utf8'),
) as BilbycastVectors

export const MASTER_A = new Secret(vectors.master_key)
export const MASTER_B = new Secret('f1'.repeat(32))

/** Randomness that gives these values in turn, and then fails. */
export function drawing(...values: readonly string[]): (size: number) => Buffer {
  const left = values.map((value) => Buffer.from(value, 'hex'))
  return (size) => {
    const next = left.shift()
    if (next?.length !== size) throw new Error(`${size} bytes were drawn, ${next?.length ?? 'none'} are next`)
    return next
  }
}
