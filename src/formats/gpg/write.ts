import { createCipheriv } from 'node:crypto'
import { ByteReader } from '../../archive/byte-reader.ts'
import { SealiftError } from '../../errors.ts'
import type { Secret } from '../../secret.ts'
import { AES_256, SHA_512 } from './algorithms.ts'
import { PREFIX_SIZE } from './encrypted-data.ts'
import { ModificationDetection } from './mdc.ts'
import { bodyParts, packetInParts, wholePacket } from './packet-writer.ts'
import { TAG } from './packet.ts'
import { passphraseBytes } from './passphrase.ts'
import { CODED_COUNT_LIMIT, COUNT_LIMIT, ITERATED, SALT_SIZE, stringToKey } from './s2k.ts'
import { ZERO_IV } from './session-key.ts'

const PIECE = 65_536

export interface WriteGpgOptions {
  readonly random: (size: number) => Buffer
  /** The date in the literal packet, to the second. */
  readonly mtime: Date
  readonly signal?: AbortSignal | undefined
}

/**
 * A message that `gpg --decrypt` opens, as `gpg --symmetric --cipher-algo AES256 --s2k-digest-algo SHA512 --s2k-count
 * 65011712 --compress-algo none` writes it: AES-256 in CFB mode with modification detection, the plaintext as binary
 * data without a file name, uncompressed. It is complete only once the iteration has ended.
 *
 * The passphrase is text, or the exact bytes, as gpg takes them from a file: the first line without its line feed, a
 * carriage return kept; PASSPHRASE_TOO_SHORT when there is none. A piece of the plaintext is used before the next is
 * asked for. The plaintext is closed in every case.
 */
export async function* writeGpg(
  plaintext: AsyncIterable<Uint8Array>,
  passphrase: Secret | Buffer,
  { random, mtime, signal }: WriteGpgOptions,
): AsyncGenerator<Buffer, void, undefined> {
  await using input = new ByteReader(plaintext, signal)
  const bytes = passphraseBytes(passphrase)
  if (bytes.length === 0) throw new SealiftError('PASSPHRASE_TOO_SHORT', { minimum: 1 })
  const salt = random(SALT_SIZE)
  const key = await stringToKey({ hash: 'sha512', salt, count: COUNT_LIMIT }, bytes, 32, signal)
  const slot = Buffer.from([4, AES_256, ITERATED, SHA_512, ...salt, CODED_COUNT_LIMIT])
  yield wholePacket(TAG.symmetricKeySession, slot)
  const literal = packetInParts(TAG.literal, bodyParts(literalBody(input, mtime)))
  yield* packetInParts(TAG.authenticated, encryptedParts(withDetection(literal, random), key))
}

async function* literalBody(input: ByteReader, mtime: Date): AsyncGenerator<Uint8Array, void, undefined> {
  const head = Buffer.from([0x62, 0, 0, 0, 0, 0])
  head.writeUInt32BE(Math.min(Math.max(0, Math.floor(mtime.getTime() / 1000)), 0xffffffff), 2)
  yield head
  for (let piece = await input.some(PIECE); piece.length > 0; piece = await input.some(PIECE)) yield piece
}

/** What is encrypted: the random prefix, the packets, and their modification detection code. */
async function* withDetection(
  packets: AsyncIterable<Buffer>,
  random: (size: number) => Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const fresh = random(PREFIX_SIZE - 2)
  const prefix = Buffer.concat([fresh, fresh.subarray(-2)])
  const detection = new ModificationDetection(prefix)
  yield prefix
  for await (const piece of packets) {
    detection.add(piece)
    yield piece
  }
  yield detection.packet()
}

/** The body of an encrypted data packet of version 1, in parts: the version, and the plaintext encrypted. */
async function* encryptedParts(
  plain: AsyncIterable<Buffer>,
  key: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const cipher = createCipheriv('aes-256-cfb', key, ZERO_IV)
  let version = Buffer.from([1])
  for await (const part of bodyParts(plain, version.length)) {
    const encrypted = cipher.update(part)
    yield version.length === 0 ? encrypted : Buffer.concat([version, encrypted])
    version = Buffer.alloc(0)
  }
}
