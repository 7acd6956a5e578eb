import { ByteReader } from './byte-reader.ts'
import type { RandomAccess } from './file-layout.ts'
import { describeHeader, readHeader, type ArchiveHeader } from './header.ts'
import { readHeaderOf } from './open-file.ts'
import type { OpenOptions } from './open-stream.ts'

/**
 * What the header says, without a key. NOTHING of it is authenticated: whoever can write the file can write anything
 * here. NOT_AN_ARCHIVE, ARCHIVE_TOO_NEW, HEADER_INVALID, ARCHIVE_CUT.
 */
export async function inspectHeader(
  input: AsyncIterable<Uint8Array> | RandomAccess,
  { signal, name }: OpenOptions = {},
): Promise<ArchiveHeader> {
  if (!(Symbol.asyncIterator in input)) return describeHeader(await readHeaderOf(input, name))
  await using reader = new ByteReader(input, signal)
  return describeHeader(await readHeader((size) => reader.read(size), name))
}
