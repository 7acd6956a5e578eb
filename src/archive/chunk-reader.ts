import { SealiftError } from '../errors.ts'
import type { ByteReader } from './byte-reader.ts'
import { CHUNK_HEAD, CHUNK_SLACK, DATA, END, TAG_SIZE, type ChunkKind, type SealedChunk } from './chunk.ts'
import { checkFooter, FOOTER_SIZE } from './footer.ts'

/** Where the parts of an archive lie, known once `readChunks` has ended. */
export interface Layout {
  /** The `length` field of each data chunk, in order. */
  readonly dataLengths: number[]
  indexOffset: number
  indexNumber: number
  /** File offset behind the footer. */
  size: number
}

/**
 * The chunks from the first one to the end chunk, their tags not yet checked; then the footer, and that nothing
 * follows it. `input` stands at the first chunk, at file offset `input.position`. ARCHIVE_CUT, CHUNK_CHANGED for a
 * head that no chunk has, FOOTER_CHANGED, TRAILING_DATA.
 */
export async function* readChunks(
  input: ByteReader,
  chunkSize: number,
  layout: Layout,
): AsyncGenerator<SealedChunk, void, undefined> {
  let before: ChunkKind = DATA
  for (let number = 0; before !== END; number++) {
    const at = input.position
    const head = await exactly(input, CHUNK_HEAD)
    const { kind, length } = decodeChunkHead(head, number, at, chunkSize)
    if (kind < before) throw new SealiftError('CHUNK_CHANGED', { chunk: number, at })
    if (kind === DATA) {
      layout.dataLengths.push(length)
    } else if (before === DATA) {
      layout.indexOffset = at
      layout.indexNumber = number
    }
    before = kind
    yield { kind, number, at, sealed: await exactly(input, length) }
  }
  const at = input.position
  checkFooter(await exactly(input, FOOTER_SIZE), at, layout)
  layout.size = input.position
  const rest = await input.some(1)
  if (rest.length > 0) throw new SealiftError('TRAILING_DATA', { at: layout.size })
}

export function decodeChunkHead(
  head: Buffer,
  chunk: number,
  at: number,
  chunkSize: number,
): { kind: ChunkKind; length: number } {
  const kind = head[0] ?? 255
  const length = head.readUInt32LE(1)
  if (kind > END || length < TAG_SIZE || length > chunkSize + CHUNK_SLACK) {
    throw new SealiftError('CHUNK_CHANGED', { chunk, at })
  }
  return { kind: kind as ChunkKind, length }
}

async function exactly(input: ByteReader, size: number): Promise<Buffer> {
  const bytes = await input.read(size)
  if (bytes.length < size) throw new SealiftError('ARCHIVE_CUT', { at: input.position })
  return bytes
}
