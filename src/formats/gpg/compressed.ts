import { createInflate, createInflateRaw } from 'node:zlib'
import type { ByteReader } from '../../archive/byte-reader.ts'
import { through } from '../through.ts'
import type { GpgFailures } from './failures.ts'

const PIECE = 65_536

/** What the body of a compressed data packet expands to (RFC 9580 §5.6, §9.4), a piece at a time. */
export async function* expanded(
  body: ByteReader,
  failures: GpgFailures,
): AsyncGenerator<Buffer, void, undefined> {
  const broken = (cause: unknown) => failures.changed('its compressed data is broken', cause)
  const faults = {
    broken,
    short: broken,
    trailing: () => failures.changed('something follows its compressed data'),
  }
  const [algorithm] = await body.read(1)
  switch (algorithm) {
    case 0:
      return yield* piecesOf(body)
    case 1:
      return yield* through(piecesOf(body), createInflateRaw(), faults)
    case 2:
      return yield* through(piecesOf(body), createInflate(), faults)
    case 3:
      throw failures.unsupported('BZip2 compression')
    case undefined:
      throw failures.changed('a packet within it is empty')
    default:
      throw failures.unsupported(`the compression ${algorithm}`)
  }
}

async function* piecesOf(body: ByteReader): AsyncGenerator<Buffer, void, undefined> {
  for (let piece = await body.some(PIECE); piece.length > 0; piece = await body.some(PIECE)) yield piece
}
