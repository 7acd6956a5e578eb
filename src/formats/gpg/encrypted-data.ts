import { createDecipheriv, type Decipheriv } from 'node:crypto'
import type { ByteReader } from '../../archive/byte-reader.ts'
import type { GpgFailures } from './failures.ts'
import { beginsMessage } from './first-packet.ts'
import { ModificationDetection } from './mdc.ts'
import { sessionKey, ZERO_IV, type PassphraseSlot } from './session-key.ts'

/** Before the packets stand 16 random bytes, and the last two of them again (RFC 9580 §5.13.1). */
export const PREFIX_SIZE = 18
/** A header of at most 6 bytes, and as much behind it as tells one packet from random bytes. */
const FIRST_PACKET = 8
const HEAD_SIZE = PREFIX_SIZE + FIRST_PACKET
const PIECE = 65_536

export interface Opening {
  readonly slots: readonly PassphraseSlot[]
  readonly passphrase: Buffer
  readonly signal?: AbortSignal | undefined
}

/**
 * The packets inside an encrypted data packet of version 1, decrypted. The passphrase is judged by the first 27 bytes
 * of `body`. The last 22 are held back: when the iteration has ended, they were the modification detection code of all
 * that it yielded; otherwise it throws.
 */
export async function* decrypted(
  body: ByteReader,
  opening: Opening,
  failures: GpgFailures,
): AsyncGenerator<Buffer, void, undefined> {
  const [version] = await body.read(1)
  if (version !== undefined && version !== 1)
    throw failures.unsupported(
      `an encrypted data packet of version ${version}${version === 2 ? ' (AEAD)' : ''}`,
    )
  const head = await body.read(HEAD_SIZE)
  if (head.length < HEAD_SIZE) throw failures.changed('its encrypted data is too short')
  const { decipher, plain } = await unlock(head, opening, failures)
  const detection = new ModificationDetection(plain.subarray(0, PREFIX_SIZE))
  yield* detection.release(plain.subarray(PREFIX_SIZE))
  for (let piece = await body.some(PIECE); piece.length > 0; piece = await body.some(PIECE))
    yield* detection.release(decipher.update(piece))
  if (!detection.holds()) throw failures.changed('its modification detection code differs')
}

interface Unlocked {
  /** Stands behind the head. */
  readonly decipher: Decipheriv
  readonly plain: Buffer
}

/**
 * Two repeated bytes of the prefix tell a wrong key, but let one in 65,536 pass; so the first packet must be one, too.
 * (The check can serve as an oracle where an attacker sees thousands of answers for chosen files, RFC 9580 §13.4; here
 * the one who asks holds the passphrase.)
 */
async function unlock(head: Buffer, opening: Opening, failures: GpgFailures): Promise<Unlocked> {
  for (const slot of opening.slots) {
    const session = await sessionKey(slot, opening.passphrase, opening.signal)
    if (session === undefined) continue
    const decipher = createDecipheriv(session.cipher.name, session.key, ZERO_IV)
    const plain = decipher.update(head)
    const repeated = plain.subarray(PREFIX_SIZE - 4, PREFIX_SIZE - 2)
    const fits = repeated.equals(plain.subarray(PREFIX_SIZE - 2, PREFIX_SIZE))
    if (fits && (await beginsMessage(plain.subarray(PREFIX_SIZE)))) return { decipher, plain }
  }
  throw failures.wrongPassphrase()
}
