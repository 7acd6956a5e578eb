import type { FileHandle } from 'node:fs/promises'

/** How much is read at a time. */
export const readSize = 1024 * 1024

/**
 * The first `size` bytes of an open file, in pieces of 1 MiB, the next one already being read while one is used. Two
 * buffers take turns: a piece stands until the next one is asked for. Ends early where the file is shorter. Closes
 * nothing.
 */
export async function* readDescriptor(
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const buffers: (Buffer | undefined)[] = [undefined, undefined]
  let turn = 0
  let at = 0
  const next = (): Reading | undefined => {
    if (at >= size) return undefined
    const length = Math.min(readSize, size - at)
    const buffer = (buffers[turn] ??= Buffer.allocUnsafeSlow(length)).subarray(0, length)
    const piece = fill(handle, buffer, at)
    // Awaited below; until then a failure waits there too.
    piece.catch(() => undefined)
    turn = 1 - turn
    at += length
    return { piece, length }
  }
  let reading = next()
  try {
    while (reading !== undefined) {
      const { length } = reading
      const piece = await reading.piece
      signal.throwIfAborted()
      reading = piece.length === length ? next() : undefined
      if (piece.length > 0) yield piece
    }
  } finally {
    // A read that nobody waits for any more still uses the descriptor.
    await reading?.piece.catch(() => undefined)
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
