import { hkdfSync } from 'node:crypto'
import { SealiftError } from '../../errors.ts'
import type { Secret } from '../../secret.ts'

/** Every key that the application derives for a domain of secrets (bilbycast.md §3). */
export const DOMAINS = [
  'kek:node-secret',
  'kek:ai-key',
  'kek:tunnel',
  'kek:user-mfa',
  'hmac:registration-token',
  'kek:config-history',
  'kek:ai-thread',
] as const
export type Domain = (typeof DOMAINS)[number]

/** The one key of all values that were written before there were domains. */
const LEGACY = 'aes-256-gcm-encryption'
const KEY_CHECK = 'sealift:key-check'
const SALT = 'bilbycast-manager-master-key-v1'

/** The keys of exactly one master key. */
export interface DerivedKeys {
  readonly domains: ReadonlyMap<string, Buffer>
  readonly legacy: Buffer
  /** The first 16 bytes, hex, of a key that nothing is encrypted with. */
  readonly check: string
}

/**
 * HKDF-SHA256. The input key is the text of the master key as it stands, **not the 32 bytes that its hex digits mean**:
 * the same digits in the other case are another key.
 */
export function deriveKeys(masterKey: Secret): DerivedKeys {
  const derive = (info: string): Buffer =>
    Buffer.from(hkdfSync('sha256', Buffer.from(masterKey.reveal()), SALT, info, 32))
  return {
    domains: new Map(DOMAINS.map((domain) => [domain, derive(domain)])),
    legacy: derive(LEGACY),
    check: derive(KEY_CHECK).subarray(0, 16).toString('hex'),
  }
}

export function domainKey(keys: DerivedKeys, domain: string): Buffer {
  const key = keys.domains.get(domain)
  if (key === undefined) throw new SealiftError('BUG', { reason: `no key for the domain ${domain}` })
  return key
}
