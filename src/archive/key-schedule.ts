import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto'

export const KEY_SIZE = 32

/** Every label that a key or a tag of the format is bound to (archive-v1, table of labels). */
export const LABELS = {
  header: 'sealift/v1/header',
  payload: 'sealift/v1/payload',
  passphraseSlot: 'sealift/v1/slot/passphrase',
  recipientSlot: 'sealift/v1/slot/recipient',
} as const

/** HKDF-SHA-256 with the 16 id bytes of the archive as salt (archive-v1 §3.1). */
export function deriveKey(secret: Uint8Array, id: string, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.from(id, 'hex'), label, KEY_SIZE))
}

/** What a slot's ciphertext is bound to besides its key: the label and the archive. */
export const slotAad = (label: string, id: string): Buffer =>
  Buffer.concat([Buffer.from(label), Buffer.from(id, 'hex')])

export const payloadKey = (fileKey: Buffer, id: string): KeyObject =>
  createSecretKey(deriveKey(fileKey, id, LABELS.payload))

/** The 32 bytes behind the header (archive-v1 §3.1). */
export const headerMac = (fileKey: Buffer, id: string, header: Uint8Array): Buffer =>
  createHmac('sha256', deriveKey(fileKey, id, LABELS.header))
    .update(header)
    .digest()

export const sameMac = (one: Buffer, other: Buffer): boolean => timingSafeEqual(one, other)
