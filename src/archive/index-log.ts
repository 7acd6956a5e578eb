import { zstdDecompressSync } from 'node:zlib'
import type { IndexEntry } from '../member.ts'
import { compressFrameSync } from './frame.ts'
import { encodeMemberLine } from './index-lines.ts'

/** Lines are compressed together in pieces of about this size. */
const PIECE = 65_536
const LEVEL = 3

/**
 * The index lines of the members so far, kept as zstd frames: about 60 bytes for each member, most of it the hash that
 * no compression can shorten. What is written at the end, and what a reader compares the written index with, is
 * replayed from here.
 */
export class IndexLog {
  members = 0
  /** Bytes of all lines. */
  size = 0
  readonly #frames: Buffer[] = []
  #open: string[] = []
  #openSize = 0

  add(entry: IndexEntry): void {
    const line = encodeMemberLine(entry)
    const size = Buffer.byteLength(line)
    this.#open.push(line)
    this.#openSize += size
    this.size += size
    this.members++
    if (this.#openSize >= PIECE) this.#close()
  }

  /** The lines so far as the frames that an index consists of. */
  frames(): readonly Buffer[] {
    if (this.#open.length > 0) this.#close()
    return this.#frames
  }

  /** The text of all lines so far, in pieces that end with a line. */
  *text(): Generator<Buffer, void, undefined> {
    for (const frame of this.frames()) yield zstdDecompressSync(frame)
  }

  /** Each line so far, without its line feed. */
  *lines(): Generator<string, void, undefined> {
    for (const text of this.text()) yield* text.toString().slice(0, -1).split('\n')
  }

  #close(): void {
    const frame = compressFrameSync(Buffer.from(this.#open.join('')), LEVEL)
    this.#frames.push(Buffer.from(frame)) // a copy, because the frame lies in a buffer of the worst case's size
    this.#open = []
    this.#openSize = 0
  }
}
