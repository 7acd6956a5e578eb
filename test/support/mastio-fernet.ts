import { createCipheriv, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Issued } from './x509-issue.ts'

const keys = new Map<string, Buffer>()

/** The derivation is slow on purpose: each passphrase of a test process goes through it once. */
function keyOf(passphrase: string): Buffer {
  const key =
    keys.get(passphrase) ?? pbkdf2Sync(passphrase.trim(), 'cullis-mastio-pki-v1', 600_000, 32, 'sha256')
  keys.set(passphrase, key)
  return key
}

/** What the application stores of an encrypted CA: `enc:pki:v1:` and a Fernet token of both PEMs. */
export function encryptedPki(issued: Issued, passphrase: string): string {
  const key = keyOf(passphrase)
  const plain = JSON.stringify({ key_pem: issued.key, cert_pem: issued.cert })
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(1_778_754_625n)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv)
  const head = Buffer.concat([Buffer.of(0x80), time, iv, cipher.update(plain, 'utf8'), cipher.final()])
  const mac = createHmac('sha256', key.subarray(0, 16)).update(head).digest()
  const token = Buffer.concat([head, mac]).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  return `enc:pki:v1:${token}`
}
