import type { Secret } from '../secret.ts'
import { invalidHeader, textField } from './header-fields.ts'
import {
  createPassphraseSlot,
  decodePassphraseSlot,
  encodePassphraseSlot,
  openPassphraseSlot,
  type PassphraseSlot,
} from './passphrase-slot.ts'
import { parseRecipient, parseSecret } from './recipient.ts'
import {
  createRecipientSlot,
  decodeRecipientSlot,
  encodeRecipientSlot,
  openRecipientSlot,
  type Encapsulate,
  type RecipientSlot,
} from './recipient-slot.ts'

/** What to seal with: each gives one slot, and any one slot opens the archive. */
export type SlotKey =
  | { readonly type: 'passphrase'; readonly passphrase: Secret }
  | { readonly type: 'recipient'; readonly recipient: string }

/** What to open with. */
export type OpenKey =
  | { readonly type: 'passphrase'; readonly passphrase: Secret }
  | { readonly type: 'secret'; readonly secret: Secret }
  | OpenedKey

/** The key of an archive that was opened before, to open it again without deriving it again. */
export interface OpenedKey {
  readonly type: 'opened'
  readonly id: string
  readonly slot: number
  /** The file key in hex. */
  readonly fileKey: Secret
}

/** A slot of a type that this version does not know: skipped when opening, carried along as it stands [S-1]. */
export interface UnknownSlot {
  readonly type: 'unknown'
  readonly value: { readonly type: string }
}

export type Slot = PassphraseSlot | RecipientSlot | UnknownSlot

/** A slot as far as anyone can see it. */
export type SlotInfo =
  | {
      readonly type: 'passphrase'
      readonly kdf: 'argon2id'
      readonly memoryKib: number
      readonly passes: number
      readonly lanes: number
    }
  | { readonly type: 'recipient'; readonly kem: 'x-wing'; readonly id: string }
  | { readonly type: 'unknown'; readonly name: string }

export function decodeSlot(value: unknown, number: number): Slot {
  const where = `slot ${number}`
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  if (type === 'passphrase') return decodePassphraseSlot(value, where)
  if (type === 'recipient') return decodeRecipientSlot(value, where)
  textField(type, /^[a-z0-9-]{1,32}$/, `${where} type`)
  if (Array.isArray(value)) throw invalidHeader(`${where} is not an object`)
  return { type: 'unknown', value: value as UnknownSlot['value'] }
}

export function encodeSlot(slot: Slot): object {
  if (slot.type === 'passphrase') return encodePassphraseSlot(slot)
  if (slot.type === 'recipient') return encodeRecipientSlot(slot)
  return slot.value
}

export function describeSlot(slot: Slot): SlotInfo {
  if (slot.type === 'unknown') return { type: 'unknown', name: slot.value.type }
  if (slot.type === 'recipient') return { type: 'recipient', kem: 'x-wing', id: slot.id.toString('hex') }
  const { memoryKib, passes, lanes } = slot
  return { type: 'passphrase', kdf: 'argon2id', memoryKib, passes, lanes }
}

export interface SlotMaking {
  readonly random: (size: number) => Buffer
  readonly encapsulate?: Encapsulate | undefined
}

/** A slot that opens to `fileKey` with this key. KEY_INVALID. */
export async function createSlot(
  key: SlotKey,
  fileKey: Buffer,
  id: string,
  making: SlotMaking,
): Promise<Slot> {
  return key.type === 'passphrase'
    ? createPassphraseSlot(key.passphrase, fileKey, id, making.random)
    : createRecipientSlot(parseRecipient(key.recipient), fileKey, id, making.random, making.encapsulate)
}

/** The file key, or undefined where this key is not for this slot. KEY_INVALID for a secret that is none. */
export async function openSlot(slot: Slot, key: OpenKey, id: string): Promise<Buffer | undefined> {
  if (slot.type === 'passphrase' && key.type === 'passphrase') {
    return openPassphraseSlot(slot, key.passphrase, id)
  }
  if (slot.type === 'recipient' && key.type === 'secret') {
    return openRecipientSlot(slot, parseSecret(key.secret), id)
  }
  return undefined
}
