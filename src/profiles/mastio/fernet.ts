import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../../secret.ts'

export const pkiPrefix = 'enc:pki:v1:'
const salt = 'cullis-mastio-pki-v1'
const iterations = 600_000
const shortestPassphrase = 16

/**
 * The key of the encrypted key store: PBKDF2-HMAC-SHA256 over the trimmed passphrase, 32 bytes, the HMAC key first.
 * `undefined` if the passphrase has fewer than 16 characters: the application does not take it.
 */
export async function pkiKey(passphrase: Secret): Promise<Buffer | undefined> {
  const text = passphrase.reveal().trim()
  if (text.length < shortestPassphrase) return undefined
  return promisify(pbkdf2)(text, salt, iterations, 32, 'sha256')
}

/**
 * Opens a Fernet token: version 0x80, 8 bytes of time, 16 of IV, AES-128-CBC, HMAC-SHA-256; base64url, padded or not.
 * `undefined` if it is none, or the key does not open it.
 */
export function openFernet(token: string, key: Buffer): Buffer | undefined {
  const bytes = Buffer.from(token.trim(), 'base64url')
  if (bytes.length < 1 + 8 + 16 + 16 + 32 || bytes[0] !== 0x80) return undefined
  const signed = bytes.subarray(0, -32)
  const mac = createHmac('sha256', key.subarray(0, 16)).update(signed).digest()
  if (!timingSafeEqual(mac, bytes.subarray(-32))) return undefined
  const decipher = createDecipheriv('aes-128-cbc', key.subarray(16), signed.subarray(9, 25))
  return Buffer.concat([decipher.update(signed.subarray(25)), decipher.final()])
}

/** Both PEMs of an `enc:pki:v1:` text, `undefined` if the key does not open it. The key PEM is a secret. */
export function openPki(ciphertext: string, key: Buffer): { keyPem: string; certPem: string } | undefined {
  if (!ciphertext.startsWith(pkiPrefix)) return undefined
  const plain = openFernet(ciphertext.slice(pkiPrefix.length), key)
  if (plain === undefined) return undefined
  return pemsOf(plain)
}

function pemsOf(plain: Buffer): { keyPem: string; certPem: string } | undefined {
  try {
    const value = JSON.parse(plain.toString('utf8')) as { key_pem?: unknown; cert_pem?: unknown } | null
    const { key_pem: key, cert_pem: cert } = value ?? {}
    return typeof key === 'string' && typeof cert === 'string' ? { keyPem: key, certPem: cert } : undefined
  } catch {
    // The parser's own error would quote the plaintext.
    return undefined
  }
}
