import { createCipheriv, createDecipheriv } from 'node:crypto'

export const NONCE_SIZE = 12
export const TAG_SIZE = 16

/** AES-256-GCM without associated data: ciphertext, then the tag. */
export function sealGcm(key: Buffer, nonce: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The plaintext of ciphertext and tag, `undefined` where the tag differs. */
export function openGcm(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_SIZE })
  decipher.setAuthTag(sealed.subarray(-TAG_SIZE))
  const plaintext = decipher.update(sealed.subarray(0, -TAG_SIZE))
  try {
    return Buffer.concat([plaintext, decipher.final()])
  } catch {
    return undefined
  }
}
