const PART = 65_536
/** A length octet of the new format that announces a part of 2^16 bytes and another length behind it. */
const PART_OCTET = 0xe0 | 16

/** A packet of the new format, whose length is known (RFC 9580 §4.2.1). */
export function wholePacket(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0 | tag]), wholeLength(body.length), body])
}

/**
 * A packet of the new format whose length is not known when it begins, from its body as `bodyParts` cuts it. The parts
 * are passed on as they are.
 */
export async function* packetInParts(
  tag: number,
  parts: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from([0xc0 | tag])
  for await (const part of parts) {
    yield part.length === PART ? Buffer.from([PART_OCTET]) : wholeLength(part.length)
    if (part.length > 0) yield part
  }
}

/**
 * `body` in parts of 64 KiB, the last one shorter, if need be empty; `before` bytes of the first part are left to the
 * caller. A piece of `body` is copied before the next is asked for. A part stands only until the next is asked for: a
 * new buffer for each would have the garbage collector hold twice the memory.
 */
export async function* bodyParts(
  body: AsyncIterable<Uint8Array>,
  before = 0,
): AsyncGenerator<Buffer, void, undefined> {
  const part = Buffer.allocUnsafe(PART)
  let size = PART - before
  let filled = 0
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length;) {
      const fits = Math.min(size - filled, piece.length - taken)
      part.set(piece.subarray(taken, taken + fits), filled)
      taken += fits
      filled += fits
      if (filled < size) continue
      yield part.subarray(0, size)
      size = PART
      filled = 0
    }
  }
  yield part.subarray(0, filled)
}

function wholeLength(size: number): Buffer {
  if (size < 192) return Buffer.from([size])
  if (size < 8384) return Buffer.from([192 + ((size - 192) >> 8), (size - 192) & 0xff])
  const length = Buffer.from([0xff, 0, 0, 0, 0])
  length.writeUInt32BE(size, 1)
  return length
}
