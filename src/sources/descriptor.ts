import type { FileHandle } from 'node:fs/promises'

/** How much is read at a time. */
export const readSize = 1024 * 1024

/** How many pieces are being read, or wait, while one is used. */
const ahead = 3

/**
 * The first `size` bytes of an open file, in pieces of 1 MiB, the next ones already being read while one is used. A few
 * buffers take turns: a piece stands until the next one is asked for. Ends early where the file is shorter. Closes
 * nothing.
 */
export async function* readDescriptor(
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const buffers: Buffer[] = []
  const readings: Reading[] = []
  let at = 0
  const readOn = (): void => {
    for (; at < size && readings.length < ahead; at += readSize) {
      const length = Math.min(readSize, size - at)
      const buffer = (buffers[(at / readSize) % (ahead + 1)] ??= Buffer.allocUnsafeSlow(length))
      const piece = fill(handle, buffer.subarray(0, length), at)
      // Awaited below; until then a failure waits there too.
      piece.catch(() => undefined)
      readings.push({ piece, length })
    }
  }
  try {
    readOn()
    for (let reading = readings.shift(); reading !== undefined; reading = readings.shift()) {
      const piece = await reading.piece
      signal.throwIfAborted()
      const shorter = piece.length < reading.length
      if (!shorter) readOn()
      if (piece.length > 0) yield piece
      if (shorter) return
    }
  } finally {
    // Reads that nobody waits for any more still use the descriptor.
    await Promise.allSettled(readings.map(({ piece }) => piece))
  }
}

interface Reading {
  readonly piece: Promise<Buffer>
  readonly length: number
}

/** Fills the buffer from `position`, or as much of it as the file has. */
export async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, position + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}
