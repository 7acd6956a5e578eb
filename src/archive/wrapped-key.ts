import { createCipheriv, createDecipheriv } from 'node:crypto'
import { TAG_SIZE } from './chunk.ts'
import { KEY_SIZE } from './key-schedule.ts'

export const NONCE_SIZE = 12
/** The file key's ciphertext and its tag. */
export const WRAPPED_SIZE = KEY_SIZE + TAG_SIZE

/** The file key under a slot's own key. */
export function wrapKey(kek: Buffer, nonce: Buffer, fileKey: Buffer, aad: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', kek, nonce).setAAD(aad)
  return Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
}

/** The file key, or undefined where this is not the slot's key. */
export function unwrapKey(kek: Buffer, nonce: Buffer, wrapped: Buffer, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', kek, nonce, { authTagLength: TAG_SIZE })
  decipher.setAAD(aad).setAuthTag(wrapped.subarray(KEY_SIZE))
  const fileKey = decipher.update(wrapped.subarray(0, KEY_SIZE))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return fileKey
}
