import { ByteReader } from './byte-reader.ts'
import { DATA, openChunk } from './chunk.ts'
import { readChunks } from './chunk-reader.ts'
import { storeFrame } from './frame.ts'
import { readHeader } from './header.ts'
import { payloadKey } from './key-schedule.ts'
import type { OpenOptions } from './open-stream.ts'
import type { OpenKey } from './slots.ts'
import { unlock } from './unlock.ts'

/**
 * The payload as a plain `.tar.zst`: what the outer layer protects, without looking into it. Each piece has passed its
 * tag; all of it is there once the iteration has ended. An archive that is not compressed comes out as stored zstd
 * frames, so the result is the same kind of file. Errors as `openStream`, but none of the contents.
 */
export async function* unseal(
  input: AsyncIterable<Uint8Array>,
  keys: readonly OpenKey[],
  { signal, name }: OpenOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  await using reader = new ByteReader(input, signal)
  const read = await readHeader((size) => reader.read(size), name)
  const { fileKey } = await unlock(read, keys, signal)
  const { id, chunkSize, compression } = read.header
  const key = payloadKey(fileKey, id)
  const layout = { dataLengths: [], indexOffset: 0, indexNumber: 0, size: 0 }
  for await (const chunk of readChunks(reader, chunkSize, layout)) {
    const plaintext = openChunk(key, chunk)
    if (chunk.kind === DATA) yield compression === 'zstd' ? plaintext : storeFrame(plaintext)
  }
}
