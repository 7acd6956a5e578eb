import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { SealiftError } from '../errors.ts'

/** The kinds of chunk (archive-v1 §4). */
export const DATA = 0
export const INDEX = 1
export const END = 2
export type ChunkKind = typeof DATA | typeof INDEX | typeof END

/** kind[1] and length[4] before each ciphertext. */
export const CHUNK_HEAD = 5
export const TAG_SIZE = 16
/** How much longer than `chunk_size` the `length` field may say that a chunk is [C-4]. */
export const CHUNK_SLACK = 65_536

/** A chunk as it stands in the file, its tag not yet checked. `at` is the file offset of its first byte. */
export interface SealedChunk {
  readonly kind: ChunkKind
  readonly number: number
  readonly at: number
  /** Ciphertext and tag. */
  readonly sealed: Buffer
}

/** kind ‖ 00 00 00 ‖ chunk number, big-endian [C-3]: a chunk that is moved, repeated or renamed fails its tag. */
function nonceOf(kind: ChunkKind, number: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce[0] = kind
  nonce.writeBigUInt64BE(BigInt(number), 4)
  return nonce
}

export function encodeChunkHead(kind: ChunkKind, length: number): Buffer {
  const head = Buffer.allocUnsafe(CHUNK_HEAD)
  head[0] = kind
  head.writeUInt32LE(length, 1)
  return head
}

/** The parts of one chunk, in the order in which they are written. */
export function sealChunk(key: KeyObject, kind: ChunkKind, number: number, plaintext: Uint8Array): Buffer[] {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(kind, number))
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return [encodeChunkHead(kind, ciphertext.length + TAG_SIZE), ciphertext, cipher.getAuthTag()]
}

/** The plaintext, only once the tag has been checked [C-5]; CHUNK_CHANGED otherwise. */
export function openChunk(key: KeyObject, { kind, number, at, sealed }: SealedChunk): Buffer {
  const end = sealed.length - TAG_SIZE
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(kind, number), { authTagLength: TAG_SIZE })
  decipher.setAuthTag(sealed.subarray(end))
  const plaintext = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch (error) {
    throw new SealiftError('CHUNK_CHANGED', { chunk: number, at }, error)
  }
  return plaintext
}
