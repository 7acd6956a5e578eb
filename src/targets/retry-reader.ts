import { Readable, addAbortSignal } from 'node:stream'

import type { StoredReader } from './target.ts'

const readSize = 1024 * 1024

/** Decides after a failure: true to try again, after a wait that is over. */
type Again = (error: unknown, signal?: AbortSignal) => Promise<boolean>

/** The same reader, with patience: a stream that broke is read on from the byte that was reached. */
export function retryingReader(reader: StoredReader, patient: () => Again): StoredReader {
  const read = async (offset: number, length: number, signal?: AbortSignal): Promise<Buffer> => {
    const again = patient()
    for (;;) {
      try {
        return await reader.read(offset, length)
      } catch (error) {
        if (!(await again(error, signal))) throw error
      }
    }
  }

  async function* pieces(signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    let reached = 0
    const stream = reader.stream(signal)
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    try {
      for (;;) {
        // Not around the `yield`: what the consumer throws in there is no failure of the target.
        const next = await chunks.next().catch((error: unknown) => ({ error }))
        if ('error' in next) {
          if (!(await patient()(next.error, signal))) throw next.error
          break
        }
        if (next.done === true) return
        reached += next.value.length
        yield next.value
      }
    } finally {
      stream.destroy()
    }
    for (; reached < reader.size; reached += readSize) {
      signal?.throwIfAborted()
      yield await read(reached, Math.min(readSize, reader.size - reached), signal)
    }
  }

  return {
    name: reader.name,
    size: reader.size,
    read: async (offset, length) => await read(offset, length),
    stream(signal) {
      const stream = Readable.from(pieces(signal), { objectMode: false, highWaterMark: readSize })
      // Who reads hears of an error from `pipeline`; one that comes before must not end the process.
      stream.on('error', () => undefined)
      return signal === undefined ? stream : addAbortSignal(signal, stream)
    },
    [Symbol.asyncDispose]: async () => await reader[Symbol.asyncDispose](),
  }
}
