import { SealiftError } from '../errors.ts'
import { bytesField, fieldsOf, invalidHeader } from './header-fields.ts'
import { deriveKey, LABELS, slotAad } from './key-schedule.ts'
import { keyId } from './recipient.ts'
import { NONCE_SIZE, unwrapKey, WRAPPED_SIZE, wrapKey } from './wrapped-key.ts'
import { CIPHERTEXT_SIZE, decapsulate, encapsulate, publicKeyOf, type Encapsulation } from './xwing.ts'

export interface RecipientSlot {
  readonly type: 'recipient'
  readonly id: Buffer
  readonly ciphertext: Buffer
  readonly nonce: Buffer
  readonly key: Buffer
}

const KEYS = ['type', 'kem', 'id', 'ciphertext', 'nonce', 'key'] as const

export function decodeRecipientSlot(value: unknown, where: string): RecipientSlot {
  const fields = fieldsOf(value, KEYS, where)
  if (fields.kem !== 'x-wing') throw invalidHeader(`${where} has another kem than x-wing`)
  return {
    type: 'recipient',
    id: bytesField(fields.id, 8, `${where} id`),
    ciphertext: bytesField(fields.ciphertext, CIPHERTEXT_SIZE, `${where} ciphertext`),
    nonce: bytesField(fields.nonce, NONCE_SIZE, `${where} nonce`),
    key: bytesField(fields.key, WRAPPED_SIZE, `${where} key`),
  }
}

export function encodeRecipientSlot(slot: RecipientSlot): object {
  return {
    type: 'recipient',
    kem: 'x-wing',
    id: slot.id.toString('base64'),
    ciphertext: slot.ciphertext.toString('base64'),
    nonce: slot.nonce.toString('base64'),
    key: slot.key.toString('base64'),
  }
}

/** How a shared secret is made for a public key; test vectors bring one that gives the same each time. */
export type Encapsulate = (publicKey: Buffer) => Encapsulation

/** KEY_INVALID for a public key that ML-KEM refuses. */
export function createRecipientSlot(
  publicKey: Buffer,
  fileKey: Buffer,
  id: string,
  random: (size: number) => Buffer,
  encapsulateFor: Encapsulate = encapsulate,
): RecipientSlot {
  let encapsulation: Encapsulation
  try {
    encapsulation = encapsulateFor(publicKey)
  } catch (error) {
    throw new SealiftError(
      'KEY_INVALID',
      { what: 'the recipient', reason: 'it is no X-Wing public key' },
      error,
    )
  }
  const nonce = random(NONCE_SIZE)
  const kek = deriveKey(encapsulation.sharedSecret, id, LABELS.recipientSlot)
  const key = wrapKey(kek, nonce, fileKey, slotAad(LABELS.recipientSlot, id))
  return { type: 'recipient', id: keyId(publicKey), ciphertext: encapsulation.ciphertext, nonce, key }
}

/** The file key, or undefined where the slot is for another key or does not open. */
export function openRecipientSlot(slot: RecipientSlot, seed: Buffer, id: string): Buffer | undefined {
  if (!keyId(publicKeyOf(seed)).equals(slot.id)) return undefined
  let sharedSecret: Buffer
  try {
    sharedSecret = decapsulate(seed, slot.ciphertext)
  } catch {
    return undefined // a point of low order in place of the ephemeral key
  }
  return unwrapKey(
    deriveKey(sharedSecret, id, LABELS.recipientSlot),
    slot.nonce,
    slot.key,
    slotAad(LABELS.recipientSlot, id),
  )
}
