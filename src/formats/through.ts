import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Gunzip, Gzip, Inflate, InflateRaw } from 'node:zlib'
import { systemCode } from '../errors.ts'

/** What a codec of node:zlib has to say about bytes that it does not take. */
export interface ThroughFaults {
  /** The data is broken; `cause` is zlib's own error. */
  readonly broken: (cause: unknown) => Error
  /** The input ended before the compressed data did. */
  readonly short: (cause: unknown) => Error
  /** The compressed data ended before the input did. */
  readonly trailing: () => Error
}

/**
 * `input` through a codec of node:zlib, a piece at a time in both directions. An error of the input comes out as it
 * is, one of zlib as `faults` says. zlib itself says nothing of bytes behind the compressed data: it stops, or swallows
 * them. Whoever stops early closes the input; the codec is used up in every case.
 */
export async function* through(
  input: AsyncIterable<Uint8Array>,
  codec: Gzip | Gunzip | Inflate | InflateRaw,
  faults: ThroughFaults,
): AsyncGenerator<Buffer, void, undefined> {
  const fed = { bytes: 0, all: false }
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of input) {
      fed.bytes += piece.length
      if (piece.length > 0) yield piece
    }
    fed.all = true
  }
  const source = Readable.from(counted())
  const closed = new Promise((resolve) => source.once('close', resolve))
  // The iteration below throws the same error; this promise is only watched so that it is not an unhandled one.
  pipeline(source, codec).catch(() => undefined)
  try {
    for await (const piece of codec) yield piece as Buffer
    if (!fed.all || codec.bytesWritten < fed.bytes) throw faults.trailing()
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (!code.startsWith('Z_')) throw error
    throw code === 'Z_BUF_ERROR' ? faults.short(error) : faults.broken(error)
  } finally {
    source.destroy()
    codec.destroy()
    await closed
  }
}
