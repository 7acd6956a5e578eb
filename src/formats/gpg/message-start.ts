import { ByteReader } from '../../archive/byte-reader.ts'
import type { GpgFailures } from './failures.ts'
import { packetBody } from './packet-body.ts'
import { packetName, readPacketHeader, TAG, tagOf, type BodyLength, type PacketHeader } from './packet.ts'
import { decodePassphraseSlot, type PassphraseSlot } from './session-key.ts'

/** What stands before the encrypted data: which passphrases open it, and how long the data is. */
export interface MessageStart {
  readonly slots: readonly PassphraseSlot[]
  readonly data: BodyLength
}

/** Each slot costs a tenth of a second of hashing when the passphrase is wrong. */
const SLOT_LIMIT = 16
const PACKET_LIMIT = 64
const PACKET_SIZE_LIMIT = 16_384
/** What follows the first byte of a message in ASCII armor. */
const ARMOR = '----BEGIN PGP '

/** Whether a file begins with a packet that an encrypted message begins with, or with its ASCII armor. */
export function beginsAsGpg(head: Buffer): boolean {
  const [octet = 0] = head
  if (octet < 0x80) return head.toString('latin1', 1, 1 + ARMOR.length) === ARMOR
  return FIRST.has(tagOf(octet))
}

const FIRST = new Set<number>([
  TAG.publicKeySession,
  TAG.symmetricKeySession,
  TAG.encrypted,
  TAG.marker,
  TAG.authenticated,
  TAG.aead,
])

/**
 * Reads up to the body of the encrypted data packet. Messages that were never encrypted, those that only a secret key
 * opens, those without authentication and those with AEAD each have their own error.
 */
export async function readMessageStart(input: ByteReader, failures: GpgFailures): Promise<MessageStart> {
  const slots: PassphraseSlot[] = []
  const unsupported: string[] = []
  let publicKeys = 0
  for (let count = 0; count <= PACKET_LIMIT; count++) {
    const at = input.position
    const header = await nextHeader(input, failures)
    const { tag, length } = header
    if (tag === TAG.symmetricKeySession) {
      const slot = decodePassphraseSlot(await smallBody(input, header, at, failures))
      if (slot === 'broken') throw failures.changed(`${packetName(tag)} at byte ${at} is broken`)
      if ('unsupported' in slot) unsupported.push(slot.unsupported)
      else if (slots.push(slot) > SLOT_LIMIT)
        throw failures.unsupported(`more than ${SLOT_LIMIT} passphrases`)
    } else if (tag === TAG.publicKeySession) {
      await smallBody(input, header, at, failures)
      publicKeys += 1
    } else if (tag === TAG.marker) {
      await smallBody(input, header, at, failures)
    } else {
      const keys = slots.length + unsupported.length
      if (tag !== TAG.authenticated) throw refusal(tag, keys + publicKeys > 0, failures)
      if (keys === 0)
        throw publicKeys > 0
          ? failures.noPassphrase()
          : failures.unsupported('encrypted data without a session packet')
      if (slots.length === 0) throw failures.unsupported(unsupported.join(' and '))
      return { slots, data: length }
    }
  }
  throw failures.unsupported(`more than ${PACKET_LIMIT} packets before its data`)
}

async function nextHeader(input: ByteReader, failures: GpgFailures): Promise<PacketHeader> {
  const at = input.position
  const header = await readPacketHeader(input)
  if (typeof header === 'object') return header
  if (header === 'end' || header === 'cut') throw failures.cut(input.position)
  if (at > 0) throw failures.changed(`there is no packet at byte ${at}`)
  const text = await input.read(ARMOR.length)
  if (text.toString('latin1') === ARMOR)
    throw failures.unsupported('ASCII armor (`gpg --dearmor` makes it binary)')
  throw failures.foreign('its first bytes are no packet')
}

/** A packet whose body is read as a whole. */
async function smallBody(
  input: ByteReader,
  { tag, length }: PacketHeader,
  at: number,
  failures: GpgFailures,
): Promise<Buffer> {
  if (length.kind !== 'whole' || length.size > PACKET_SIZE_LIMIT)
    throw failures.changed(`${packetName(tag)} at byte ${at} is too large`)
  const body = new ByteReader(packetBody(input, length, () => failures.cut(input.position)))
  return body.read(length.size)
}

/** Why a message whose data lies in a packet of this tag is not read; `keyed` when session packets came before it. */
function refusal(tag: number, keyed: boolean, failures: GpgFailures): Error {
  if (tag === TAG.encrypted) return failures.notAuthenticated()
  if (keyed || tag === TAG.aead) return failures.unsupported(packetName(tag))
  return failures.foreign(`it begins with ${packetName(tag)} and is not encrypted`)
}
