import { argon2 } from 'node:crypto'
import { promisify } from 'node:util'
import { SealiftError } from '../../errors.ts'
import type { Secret } from '../../secret.ts'

/** What Argon2id (version 0x13, 32 bytes out) is to spend. */
export interface Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

/** What both formats spend (bilbycast.md §2); less is refused too. */
export const FIXED_COST: Cost = { memoryKib: 65_536, passes: 3, lanes: 1 }
/** What a reader spends at most. The header is not authenticated when it must decide. */
export const COST_LIMIT: Cost = { memoryKib: 1_048_576, passes: 16, lanes: 8 }
export const SALT_SIZE = 16
const SHORTEST = 12

/** From the bytes of a passphrase to a key of 32 bytes. Handed in, so that a test does not pay for every key. */
export type Stretch = (passphrase: Buffer, salt: Buffer, cost: Cost) => Promise<Buffer>

export const argon2id: Stretch = async (passphrase, salt, { memoryKib, passes, lanes }) =>
  promisify(argon2)('argon2id', {
    message: passphrase,
    nonce: salt,
    parallelism: lanes,
    memory: memoryKib,
    passes,
    tagLength: 32,
  })

/** The bytes that a writer stretches: UTF-8 after NFC. PASSPHRASE_TOO_SHORT under 12 code points. */
export function writersPassphrase(passphrase: Secret): Buffer {
  const text = passphrase.reveal().normalize('NFC')
  if (Array.from(text).length < SHORTEST)
    throw new SealiftError('PASSPHRASE_TOO_SHORT', { minimum: SHORTEST })
  return Buffer.from(text)
}

/** What a reader tries, in this order: after NFC, then the bytes as they were typed, where they differ. */
export function readersPassphrases(passphrase: Secret): Buffer[] {
  const raw = Buffer.from(passphrase.reveal())
  const normal = Buffer.from(passphrase.reveal().normalize('NFC'))
  return normal.equals(raw) ? [normal] : [normal, raw]
}
