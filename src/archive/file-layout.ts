import { SealiftError } from '../errors.ts'
import { CHUNK_HEAD, DATA, END, type SealedChunk } from './chunk.ts'
import { decodeChunkHead } from './chunk-reader.ts'
import { decodeFooter, FOOTER_SIZE, type Footer } from './footer.ts'

/** Any range of an archive: `length` bytes from `offset`, fewer only at its end. */
export interface RandomAccess {
  readonly size: number
  read(offset: number, length: number): Promise<Buffer>
}

/** Exactly these bytes; ARCHIVE_CUT where the file ends before. */
export async function readExactly(file: RandomAccess, offset: number, length: number): Promise<Buffer> {
  const bytes = await file.read(offset, length)
  if (bytes.length < length) throw new SealiftError('ARCHIVE_CUT', { at: offset + bytes.length })
  return bytes
}

/** The chunk at this place, its tag not yet checked. */
export async function readChunkAt(
  file: RandomAccess,
  at: number,
  number: number,
  chunkSize: number,
): Promise<SealedChunk> {
  const head = await readExactly(file, at, CHUNK_HEAD)
  const { kind, length } = decodeChunkHead(head, number, at, chunkSize)
  return { kind, number, at, sealed: await readExactly(file, at + CHUNK_HEAD, length) }
}

/** The footer at the end of the file, where it is one that can be true. */
export async function readFooter(file: RandomAccess, headerSize: number): Promise<Footer | undefined> {
  const at = file.size - FOOTER_SIZE
  if (at < headerSize) return undefined
  const footer = decodeFooter(await readExactly(file, at, FOOTER_SIZE))
  return footer !== undefined && footer.indexOffset >= headerSize && footer.indexOffset < at
    ? footer
    : undefined
}

/**
 * Why the footer leads nowhere: goes from chunk to chunk by their heads alone. Returns where the chunks really lie when
 * the footer is right. ARCHIVE_CUT, TRAILING_DATA, FOOTER_CHANGED, CHUNK_CHANGED.
 */
export async function walkChunks(file: RandomAccess, headerSize: number, chunkSize: number): Promise<Footer> {
  let at = headerSize
  let index: Footer | undefined
  for (let number = 0; ; number++) {
    const head = await readExactly(file, at, CHUNK_HEAD)
    const { kind, length } = decodeChunkHead(head, number, at, chunkSize)
    if (kind !== DATA) index ??= { indexOffset: at, indexNumber: number }
    else if (index !== undefined) throw new SealiftError('CHUNK_CHANGED', { chunk: number, at })
    at += CHUNK_HEAD + length
    if (at > file.size) throw new SealiftError('ARCHIVE_CUT', { at: file.size })
    if (kind !== END || index === undefined) continue
    const footer = decodeFooter(await readExactly(file, at, FOOTER_SIZE))
    if (footer?.indexOffset !== index.indexOffset || footer.indexNumber !== index.indexNumber) {
      throw new SealiftError('FOOTER_CHANGED', { at })
    }
    if (at + FOOTER_SIZE < file.size) throw new SealiftError('TRAILING_DATA', { at: at + FOOTER_SIZE })
    return index
  }
}
