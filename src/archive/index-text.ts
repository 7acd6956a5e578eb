import { pipeline, Readable } from 'node:stream'
import { constants, createZstdDecompress } from 'node:zlib'
import { reasonOf, SealiftError } from '../errors.ts'
import { FrameWalker } from './frame.ts'
import { INDEX_LIMIT } from './index-lines.ts'

/** The largest window of a frame in the index, 8 MiB: what RFC 8878 asks every decoder to support. */
const WINDOW_LOG = 23
const PIECE = 65_536

const disagree = (reason: string, cause?: unknown) =>
  new SealiftError('CONTENTS_DISAGREE', { member: 'the index', reason }, cause)

/**
 * The text of an index, from the plaintexts of its chunks: zstd frames and nothing else, at most 1 GiB of text [I-1].
 * CONTENTS_DISAGREE; errors of the source pass through.
 */
export async function* expandIndex(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let failure: SealiftError | undefined
  async function* frames(): AsyncGenerator<Buffer, void, undefined> {
    const walker = new FrameWalker()
    for await (const chunk of chunks) {
      const flaw = walker.push(chunk)
      if (flaw !== undefined) throw disagree(flaw)
      yield chunk
    }
    if (!walker.complete) throw disagree('it does not end where a zstd frame ends')
  }
  const expander = createZstdDecompress({
    chunkSize: PIECE,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  })
  pipeline(Readable.from(frames(), { objectMode: false, highWaterMark: PIECE }), expander, (error) => {
    if (error instanceof SealiftError) failure = error
  })
  let size = 0
  try {
    for await (const text of expander as AsyncIterable<Buffer>) {
      size += text.length
      if (size > INDEX_LIMIT) throw disagree(`it has more than ${INDEX_LIMIT} bytes`)
      yield text
    }
  } catch (error) {
    if (error instanceof SealiftError) throw error
    throw failure ?? disagree(`it is not zstd (${reasonOf(error)})`, error)
  }
}
