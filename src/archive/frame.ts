import { promisify } from 'node:util'
import { constants, createZstdCompress, zstdCompressSync, zstdDecompress, type ZstdOptions } from 'node:zlib'
import { reasonOf, SealiftError } from '../errors.ts'

const decompress = promisify(zstdDecompress)

/** The level that archives are written with unless told otherwise: on two cores it is as fast as a disk. */
export const DEFAULT_LEVEL = 1

/**
 * One zstd frame that carries its content size, made in Node's thread pool. `zlib.zstdCompress` would hand the content
 * to zstd as the beginning of a stream: zstd then copies it and matches across two segments, which costs a third of
 * the speed, and leaves the content size out. As one write that ends the frame, with room for the worst case, it is
 * one job and one pass. `nbWorkers` is never set: with it, an empty buffer was seen to come back without an error.
 */
export function compressFrame(content: Uint8Array, level: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const zstd = createZstdCompress({ ...frameOptions(content.length, level), flush: constants.ZSTD_e_end })
    zstd.once('error', reject)
    zstd.once('data', (frame: Buffer) => {
      zstd.destroy()
      resolve(frame)
    })
    zstd.write(content)
  })
}

export function compressFrameSync(content: Uint8Array, level: number): Buffer {
  return zstdCompressSync(content, frameOptions(content.length, level))
}

function frameOptions(size: number, level: number): ZstdOptions {
  const worstCase = size + (size >>> 8) + 512
  return { chunkSize: worstCase, params: { [constants.ZSTD_c_compressionLevel]: level } }
}

/**
 * The content of a buffer that is exactly one frame with its content size, at most `limit` bytes of it [D-2]. Nothing
 * larger is ever allocated. CONTENTS_DISAGREE naming `where`.
 */
export async function expandFrame(frame: Buffer, limit: number, where: string): Promise<Buffer> {
  const refuse = (reason: string, cause?: unknown) =>
    new SealiftError('CONTENTS_DISAGREE', { member: where, reason }, cause)
  const walker = new FrameWalker()
  const flaw = walker.push(frame)
  if (flaw !== undefined) throw refuse(flaw)
  if (walker.frames !== 1 || !walker.complete) throw refuse('it is not exactly one zstd frame')
  const size = walker.contentSize
  if (size === undefined) throw refuse('its zstd frame does not carry its content size')
  if (size > limit) throw refuse(`its zstd frame claims ${size} bytes, more than ${limit}`)
  let content: Buffer
  try {
    // A little room more than the content, or zlib allocates a second buffer only to find out that it is done.
    content = await decompress(frame, { chunkSize: size + 64, maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    throw refuse(`its zstd frame is damaged (${reasonOf(error)})`, error)
  }
  if (content.length !== size)
    throw refuse(`its zstd frame claims ${size} bytes and yields ${content.length}`)
  return content
}

const MAGIC = 0xfd2fb528
const MAX_STORED_BLOCK = 131_072

/** `content` as one zstd frame of stored blocks (RFC 8878 §3.1.1.2): any zstd reads it, none is needed to write it. */
export function storeFrame(content: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUInt32LE(MAGIC, 0)
  head[4] = 0b1010_0000 // a single segment, its content size in 4 bytes
  head.writeUInt32LE(content.length, 5)
  const parts: Buffer[] = [head]
  let offset = 0
  do {
    const block = content.subarray(offset, offset + MAX_STORED_BLOCK)
    offset += block.length
    const blockHead = Buffer.alloc(3)
    blockHead.writeUIntLE((block.length << 3) | (offset >= content.length ? 1 : 0), 0, 3)
    parts.push(blockHead, block)
  } while (offset < content.length)
  return Buffer.concat(parts)
}

/**
 * Follows the block headers of zstd frames (RFC 8878 §3.1.1) without decompressing: Node's zlib silently ignores what
 * stands behind the last frame, so only this tells whether a stream consists of frames and nothing else.
 */
export class FrameWalker {
  /** Frames that have ended. */
  frames = 0
  /** What the last frame header says. */
  contentSize: number | undefined
  #state: 'magic' | 'header' | 'block' = 'magic'
  #wanted = 5
  #pending: Buffer = Buffer.alloc(0)
  #skip = 0
  #lastBlock = false
  #descriptor = 0

  /** Whether the bytes so far end where a frame ends. */
  get complete(): boolean {
    return this.#skip === 0 && this.#state === 'magic' && this.#pending.length === 0 && this.frames > 0
  }

  /** Follows more bytes; says what is wrong with them, if anything is. */
  push(bytes: Buffer): string | undefined {
    let offset = 0
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - offset)
      offset += skipped
      this.#skip -= skipped
      if (this.#skip > 0) return undefined
      if (this.#lastBlock) this.#endFrame()
      const missing = this.#wanted - this.#pending.length
      const taken = bytes.subarray(offset, offset + missing)
      offset += taken.length
      this.#pending = this.#pending.length === 0 ? taken : Buffer.concat([this.#pending, taken])
      if (taken.length < missing) {
        this.#pending = Buffer.from(this.#pending) // the caller may use its buffer again
        return undefined
      }
      const flaw = this.#step()
      if (flaw !== undefined) return flaw
    }
  }

  #endFrame(): void {
    this.frames++
    this.#lastBlock = false
    this.#expect('magic', 5)
  }

  #expect(state: 'magic' | 'header' | 'block', wanted: number): void {
    this.#state = state
    this.#wanted = wanted
    this.#pending = Buffer.alloc(0)
  }

  #step(): string | undefined {
    const bytes = this.#pending
    switch (this.#state) {
      case 'magic': {
        if (bytes.readUInt32LE(0) !== MAGIC) return 'it is not a zstd frame'
        this.#descriptor = bytes[4] ?? 0
        if ((this.#descriptor & 0b1000) !== 0) return 'its zstd frame uses a reserved bit'
        const size =
          windowSize(this.#descriptor) + dictionarySize(this.#descriptor) + sizeSize(this.#descriptor)
        if (size === 0) this.#endHeader(bytes.subarray(0, 0))
        else this.#expect('header', size)
        return undefined
      }
      case 'header':
        if (dictionarySize(this.#descriptor) !== 0) return 'its zstd frame wants a dictionary'
        this.#endHeader(bytes.subarray(windowSize(this.#descriptor)))
        return undefined
      case 'block':
      default: {
        const head = bytes.readUIntLE(0, 3)
        const type = (head >>> 1) & 3
        if (type === 3) return 'its zstd frame has a reserved block'
        this.#lastBlock = (head & 1) === 1
        const checksum = this.#lastBlock && (this.#descriptor & 0b100) !== 0 ? 4 : 0
        this.#skip = (type === 1 ? 1 : head >>> 3) + checksum
        this.#expect('block', 3)
        return undefined
      }
    }
  }

  #endHeader(size: Buffer): void {
    this.contentSize =
      size.length === 0
        ? undefined
        : size.length === 8
          ? Number(size.readBigUInt64LE(0))
          : size.readUIntLE(0, size.length) + (size.length === 2 ? 256 : 0)
    this.#expect('block', 3)
  }
}

const windowSize = (descriptor: number): number => ((descriptor & 0b10_0000) === 0 ? 1 : 0)
const dictionarySize = (descriptor: number): number => [0, 1, 2, 4][descriptor & 3] ?? 0
/** Bytes of the content size field: a flag of 0 means one byte in a single segment, and none otherwise. */
const sizeSize = (descriptor: number): number =>
  descriptor >>> 6 === 0 ? 1 - windowSize(descriptor) : 1 << (descriptor >>> 6)
