/**
 * Ends a buffer that nothing uses any more. Left to the collector, a few of these make it go through the whole heap:
 * it counts what lies outside of the heap too. Small buffers may share memory with others, and are left alone.
 */
export function giveBack(buffer: Buffer): void {
  if (buffer.buffer instanceof ArrayBuffer && buffer.buffer.byteLength > 2 * Buffer.poolSize)
    buffer.buffer.transfer(0)
}
