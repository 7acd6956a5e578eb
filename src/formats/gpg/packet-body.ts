import type { ByteReader } from '../../archive/byte-reader.ts'
import { readLength, type BodyLength } from './packet.ts'

const PIECE = 65_536

/**
 * The body of the packet whose header was just read, without the lengths in it. `short` is thrown where the input ends
 * first. The input stays open, and stands behind the packet once the iteration has ended.
 */
export async function* packetBody(
  input: ByteReader,
  length: BodyLength,
  short: () => Error,
): AsyncGenerator<Buffer, void, undefined> {
  for (let next = length; ;) {
    let left = next.kind === 'rest' ? Number.POSITIVE_INFINITY : next.size
    while (left > 0) {
      const piece = await input.some(Math.min(left, PIECE))
      if (piece.length === 0) {
        if (next.kind === 'rest') return
        throw short()
      }
      left -= piece.length
      yield piece
    }
    if (next.kind === 'whole') return
    const following = await readLength(input)
    if (following === undefined) throw short()
    next = following
  }
}
