import { argon2 } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../secret.ts'
import { bytesField, fieldsOf, integerField, invalidHeader } from './header-fields.ts'
import { KEY_SIZE, LABELS, slotAad } from './key-schedule.ts'
import { NONCE_SIZE, unwrapKey, WRAPPED_SIZE, wrapKey } from './wrapped-key.ts'

const argon2Async = promisify(argon2)
const SALT_SIZE = 16

/** What a writer spends, and never less (archive-v1 §3.2 [S-3]): RFC 9106's second recommended option. */
export const WRITER_COST = { memoryKib: 65_536, passes: 3, lanes: 1 } as const
/** What a reader spends at most: the header is not yet authenticated when it must decide [S-4]. */
export const READER_LIMIT = { memoryKib: 1_048_576, passes: 16, lanes: 8 } as const

export interface PassphraseSlot {
  readonly type: 'passphrase'
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly key: Buffer
}

const KEYS = ['type', 'kdf', 'version', 'memory_kib', 'passes', 'lanes', 'salt', 'nonce', 'key'] as const

/** HEADER_INVALID, before anything is allocated, for costs above the limit. */
export function decodePassphraseSlot(value: unknown, where: string): PassphraseSlot {
  const fields = fieldsOf(value, KEYS, where)
  if (fields.kdf !== 'argon2id') throw invalidHeader(`${where} has another kdf than argon2id`)
  if (fields.version !== 19) throw invalidHeader(`${where} has another version of Argon2 than 19`)
  const lanes = integerField(fields.lanes, 1, READER_LIMIT.lanes, `${where} lanes`)
  return {
    type: 'passphrase',
    // RFC 9106: at least 8 KiB for each lane.
    memoryKib: integerField(fields.memory_kib, 8 * lanes, READER_LIMIT.memoryKib, `${where} memory_kib`),
    passes: integerField(fields.passes, 1, READER_LIMIT.passes, `${where} passes`),
    lanes,
    salt: bytesField(fields.salt, SALT_SIZE, `${where} salt`),
    nonce: bytesField(fields.nonce, NONCE_SIZE, `${where} nonce`),
    key: bytesField(fields.key, WRAPPED_SIZE, `${where} key`),
  }
}

export function encodePassphraseSlot(slot: PassphraseSlot): object {
  return {
    type: 'passphrase',
    kdf: 'argon2id',
    version: 19,
    memory_kib: slot.memoryKib,
    passes: slot.passes,
    lanes: slot.lanes,
    salt: slot.salt.toString('base64'),
    nonce: slot.nonce.toString('base64'),
    key: slot.key.toString('base64'),
  }
}

export async function createPassphraseSlot(
  passphrase: Secret,
  fileKey: Buffer,
  id: string,
  random: (size: number) => Buffer,
): Promise<PassphraseSlot> {
  const open = { ...WRITER_COST, salt: random(SALT_SIZE), nonce: random(NONCE_SIZE) }
  const kek = await stretch(passphrase, open)
  const key = wrapKey(kek, open.nonce, fileKey, slotAad(LABELS.passphraseSlot, id))
  return { type: 'passphrase', ...open, key }
}

/** The file key, or undefined where the passphrase is not this slot's. */
export async function openPassphraseSlot(
  slot: PassphraseSlot,
  passphrase: Secret,
  id: string,
): Promise<Buffer | undefined> {
  const kek = await stretch(passphrase, slot)
  return unwrapKey(kek, slot.nonce, slot.key, slotAad(LABELS.passphraseSlot, id))
}

/** Argon2id over the passphrase's UTF-8 bytes after Unicode NFC [S-2]. */
async function stretch(
  passphrase: Secret,
  cost: Omit<PassphraseSlot, 'type' | 'nonce' | 'key'>,
): Promise<Buffer> {
  return argon2Async('argon2id', {
    message: Buffer.from(passphrase.reveal().normalize('NFC')),
    nonce: cost.salt,
    parallelism: cost.lanes,
    memory: cost.memoryKib,
    passes: cost.passes,
    tagLength: KEY_SIZE,
  })
}
