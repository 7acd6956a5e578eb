import type { ByteReader } from '../../archive/byte-reader.ts'

/** Packet tags (RFC 9580 §5). */
export const TAG = {
  publicKeySession: 1,
  signature: 2,
  symmetricKeySession: 3,
  onePassSignature: 4,
  compressed: 8,
  encrypted: 9,
  marker: 10,
  literal: 11,
  authenticated: 18,
  aead: 20,
} as const

const names: Readonly<Record<number, string>> = {
  1: 'a public-key session packet',
  2: 'a signature packet',
  3: 'a symmetric-key session packet',
  4: 'a one-pass signature packet',
  5: 'a secret-key packet',
  6: 'a public-key packet',
  7: 'a secret-subkey packet',
  8: 'a compressed data packet',
  9: 'an encrypted data packet without authentication',
  10: 'a marker packet',
  11: 'a literal data packet',
  12: 'a trust packet',
  13: 'a user id packet',
  14: 'a public-subkey packet',
  17: 'a user attribute packet',
  18: 'an encrypted data packet',
  19: 'a modification detection packet',
  20: 'an AEAD encrypted data packet',
  21: 'a padding packet',
}

/** For an error: what a packet is called, and its number. */
export const packetName = (tag: number): string => `${names[tag] ?? 'an unknown packet'} (tag ${tag})`

/** How long a packet's body is: so many bytes, so many and then another length, or all that is left. */
export type BodyLength =
  { readonly kind: 'whole' | 'part'; readonly size: number } | { readonly kind: 'rest' }

export interface PacketHeader {
  readonly tag: number
  readonly length: BodyLength
}

/** Only these may come in parts or without a length (RFC 9580 §4.2.1.4). */
const streamed = new Set<number>([TAG.compressed, TAG.encrypted, TAG.literal, TAG.authenticated, TAG.aead])

/** The tag in the first octet of a header, in the new or the old format. */
export const tagOf = (octet: number): number => (octet & 0x40 ? octet & 0x3f : (octet >> 2) & 0x0f)

/**
 * The header of the next packet, in the new or the old format (RFC 9580 §4.2). `end`: there is none; `cut`: the input
 * ends within it; `broken`: these bytes are no header.
 */
export async function readPacketHeader(input: ByteReader): Promise<PacketHeader | 'end' | 'cut' | 'broken'> {
  const [octet] = await input.read(1)
  if (octet === undefined) return 'end'
  if (octet < 0x80) return 'broken'
  const tag = tagOf(octet)
  const length = await (octet & 0x40 ? readLength(input) : readOldLength(input, octet & 3))
  if (length === undefined) return 'cut'
  if (tag === 0 || (length.kind !== 'whole' && !streamed.has(tag))) return 'broken'
  return { tag, length }
}

/** A length of the new format (RFC 9580 §4.2.1); undefined where the input ends within it. */
export async function readLength(input: ByteReader): Promise<BodyLength | undefined> {
  const [first] = await input.read(1)
  if (first === undefined) return undefined
  if (first < 192) return { kind: 'whole', size: first }
  if (first < 224) {
    const [second] = await input.read(1)
    return second === undefined ? undefined : { kind: 'whole', size: ((first - 192) << 8) + second + 192 }
  }
  return first < 255 ? { kind: 'part', size: 2 ** (first & 0x1f) } : readNumber(input, 4)
}

async function readOldLength(input: ByteReader, type: number): Promise<BodyLength | undefined> {
  return type === 3 ? { kind: 'rest' } : readNumber(input, 2 ** type)
}

async function readNumber(input: ByteReader, size: number): Promise<BodyLength | undefined> {
  const bytes = await input.read(size)
  return bytes.length < size ? undefined : { kind: 'whole', size: bytes.readUIntBE(0, size) }
}
