import { ByteReader } from '../../archive/byte-reader.ts'
import { isSealiftError } from '../../errors.ts'
import { expanded } from './compressed.ts'
import type { GpgFailures } from './failures.ts'
import { packetBody } from './packet-body.ts'
import { packetName, readPacketHeader, TAG, type PacketHeader } from './packet.ts'

const PIECE = 65_536
const BINARY = 'b'.charCodeAt(0)

/**
 * The data of the one literal packet in a message, compressed or not. Reads `packets` to their end, so that their
 * modification detection code was checked when the iteration ends; also before it says that something is not
 * supported, because a change can make a packet look like another.
 */
export async function* literalData(
  packets: AsyncIterable<Buffer>,
  failures: GpgFailures,
): AsyncGenerator<Buffer, void, undefined> {
  await using input = new ByteReader(packets)
  try {
    yield* dataWithin(input, failures, 'compressed or not')
  } catch (error) {
    if (isSealiftError(error, 'GPG_UNSUPPORTED')) while ((await input.some(PIECE)).length > 0);
    throw error
  }
}

async function* dataWithin(
  input: ByteReader,
  failures: GpgFailures,
  allowed: 'compressed or not' | 'not compressed',
): AsyncGenerator<Buffer, void, undefined> {
  const header = await nextPacket(input, failures)
  if (header === 'end') throw failures.changed('there is no data in it')
  const short = () => failures.changed('a packet within it is cut')
  await using body = new ByteReader(packetBody(input, header.length, short))
  if (header.tag === TAG.literal) {
    yield* literalBody(body, failures)
  } else if (header.tag === TAG.compressed && allowed === 'compressed or not') {
    await using inner = new ByteReader(expanded(body, failures))
    yield* dataWithin(inner, failures, 'not compressed')
  } else {
    throw failures.unsupported(`${packetName(header.tag)} inside`)
  }
  if ((await nextPacket(input, failures)) !== 'end') throw failures.changed('something follows its data')
}

/** A marker says nothing and is skipped (RFC 9580 §5.8). */
async function nextPacket(input: ByteReader, failures: GpgFailures): Promise<PacketHeader | 'end'> {
  for (;;) {
    const header = await readPacketHeader(input)
    if (header === 'end') return header
    if (header === 'cut' || header === 'broken') throw failures.changed('a packet within it is broken')
    if (header.tag !== TAG.marker) return header
    const marker =
      header.length.kind === 'whole' ? await input.read(Math.min(header.length.size, 3)) : undefined
    if (marker?.toString('latin1') !== 'PGP') throw failures.changed('a packet within it is broken')
  }
}

/** Format, file name and date, which say nothing that matters here, and then the data (RFC 9580 §5.9). */
async function* literalBody(
  body: ByteReader,
  failures: GpgFailures,
): AsyncGenerator<Buffer, void, undefined> {
  const [format, nameSize] = await body.read(2)
  if (format === undefined || nameSize === undefined) throw failures.changed('a packet within it is cut')
  if (format !== BINARY) throw failures.unsupported('a literal data packet of text')
  const rest = await body.read(nameSize + 4)
  if (rest.length < nameSize + 4) throw failures.changed('a packet within it is cut')
  for (let piece = await body.some(PIECE); piece.length > 0; piece = await body.some(PIECE)) yield piece
}
