import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

import { isSealiftError } from '../../src/errors.ts'
import type { StoredObject, Target } from '../../src/targets/target.ts'

/** For `assert.rejects`: an error of ours with this code. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => isSealiftError(error) && error.code === code
}

/** Bytes that are the same for the same length, and other bytes for another one. */
export function sample(length: number): Buffer {
  const block = createHash('shake256', { outputLength: 4099 }).update(String(length)).digest()
  return Buffer.alloc(length, block)
}

/** Writes one archive whole. */
export async function put(target: Target, name: string, bytes: Buffer): Promise<StoredObject> {
  await using writer = await target.create(name)
  await pipeline([bytes], writer.stream)
  return await writer.commit()
}

/** Reads one archive whole. */
export async function content(target: Target, name: string): Promise<Buffer> {
  await using reader = await target.open(name)
  return await buffer(reader.stream())
}

/** The names that a target lists, sorted. */
export async function listed(target: Target): Promise<string[]> {
  return (await objects(target)).map(({ name }) => name).toSorted()
}

/** What a target lists. */
export async function objects(target: Target, signal?: AbortSignal): Promise<StoredObject[]> {
  return await Array.fromAsync(target.list(signal))
}

/** The bytes as a stream of pieces of this size. */
export function pieces(bytes: Buffer, size: number): Readable {
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
  return Readable.from(parts, { objectMode: true })
}

/** SHA-256 in hex: a short thing to compare for long bytes. */
export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
