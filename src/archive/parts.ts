/** A part has at most 16 MiB (archive-v1 §5). These are smaller at first, so that a short stream costs little memory. */
const PART_LIMIT = 16 * 1_048_576
const FIRST_PART = 1_048_576

export const partPath = (path: string, number: number): string =>
  `${path}.part-${String(number).padStart(5, '0')}`

/**
 * A stream in parts of known size. Each part lies in the same memory as the one before it: it must be used up before
 * the next is asked for. An empty stream gives one empty part.
 */
export async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let part = Buffer.allocUnsafeSlow(FIRST_PART)
  let filled = 0
  let first = true
  for await (const piece of content) {
    for (let offset = 0; offset < piece.length;) {
      if (filled === part.length) {
        yield part
        first = false
        filled = 0
        if (part.length < PART_LIMIT) part = Buffer.allocUnsafeSlow(part.length * 2)
      }
      const taken = piece.subarray(offset, offset + part.length - filled)
      part.set(taken, filled)
      filled += taken.length
      offset += taken.length
    }
  }
  if (filled > 0 || first) yield part.subarray(0, filled)
}
