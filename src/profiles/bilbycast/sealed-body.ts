import { createCipheriv, createDecipheriv } from 'node:crypto'
import { GCM_LIMIT, type FileFailures } from './failures.ts'
import { TAG_SIZE } from './gcm.ts'

const PIECE = 1 << 20

/** A sealed file, read by position: twice, so it must not change meanwhile. Closing it stays with the caller. */
export interface SealedFile {
  readonly size: number
  /** `length` bytes from `offset`, fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
}

/** Where one GCM message lies in a file: ciphertext from `at`, the tag in its last 16 bytes. */
export interface Body {
  readonly file: SealedFile
  readonly at: number
  readonly nonce: Buffer
}

/** AES-256-GCM of a stream of any size up to GCM's own limit: ciphertext, then the tag. Closes its input. */
export async function* sealBody(
  plaintext: AsyncIterable<Uint8Array>,
  key: Buffer,
  nonce: Buffer,
  failures: FileFailures,
): AsyncGenerator<Buffer, void, undefined> {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  let size = 0
  for await (const piece of plaintext) {
    size += piece.length
    if (size > GCM_LIMIT) throw failures.tooLarge()
    if (piece.length > 0) yield cipher.update(piece)
  }
  cipher.final()
  yield cipher.getAuthTag()
}

/** Pass 1: whether the tag over the whole message is right. Not one byte of plaintext is released. */
export async function isAuthentic(body: Body, key: Buffer, signal?: AbortSignal): Promise<boolean> {
  try {
    for await (const piece of plaintextOf(body, key, signal)) piece.fill(0)
    return true
  } catch (error) {
    if (error === DIFFERENT) return false
    throw error
  }
}

/** Pass 2: the plaintext. It ends only if the tag was right again: the file may have changed since pass 1. */
export async function* openBody(
  body: Body,
  key: Buffer,
  failures: FileFailures,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* plaintextOf(body, key, signal)
  } catch (error) {
    throw error === DIFFERENT ? failures.notOpened() : error
  }
}

const DIFFERENT = new Error('the tag differs')

async function* plaintextOf(
  { file, at, nonce }: Body,
  key: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const end = file.size - TAG_SIZE
  if (end - at > GCM_LIMIT) throw DIFFERENT
  const tag = await file.read(end, TAG_SIZE)
  if (tag.length !== TAG_SIZE) throw DIFFERENT
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_SIZE })
  decipher.setAuthTag(tag)
  for (let offset = at; offset < end;) {
    signal?.throwIfAborted()
    const piece = await file.read(offset, Math.min(PIECE, end - offset))
    if (piece.length === 0) throw DIFFERENT
    offset += piece.length
    yield decipher.update(piece)
  }
  signal?.throwIfAborted()
  try {
    decipher.final()
  } catch {
    throw DIFFERENT
  }
}
