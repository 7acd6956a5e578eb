import { ByteReader } from '../../archive/byte-reader.ts'
import { readPacketHeader, TAG } from './packet.ts'

/** The formats of a literal data packet: binary, and kinds of text (RFC 9580 §5.9). */
const LITERAL_FORMATS = Buffer.from('btulm1')
/** Uncompressed, ZIP, ZLIB, BZip2 (RFC 9580 §9.4). */
const LAST_COMPRESSION = 3
const SIGNATURE_VERSIONS = Buffer.from([2, 3, 4, 5, 6])

/** Whether decrypted data begins with a packet that a message can begin with. Takes its first 8 bytes. */
export async function beginsMessage(first: Buffer): Promise<boolean> {
  async function* once(): AsyncGenerator<Buffer, void, undefined> {
    yield first
  }
  const input = new ByteReader(once())
  const header = await readPacketHeader(input)
  if (typeof header === 'string') return false
  const [octet = 0xff] = await input.read(1)
  switch (header.tag) {
    case TAG.literal:
      return LITERAL_FORMATS.includes(octet)
    case TAG.compressed:
      return octet <= LAST_COMPRESSION
    case TAG.signature:
    case TAG.onePassSignature:
      return SIGNATURE_VERSIONS.includes(octet)
    case TAG.marker:
      return header.length.kind === 'whole' && header.length.size === 3
    default:
      return false
  }
}
