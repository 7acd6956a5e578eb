import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Readable, addAbortSignal } from 'node:stream'

import { SealiftError, systemCode } from '../errors.ts'
import { attempt } from './failure.ts'
import type { Disk } from './folder.ts'
import type { StoredReader } from './target.ts'

const readSize = 1024 * 1024

/** The file to read. `follow` lets `path` be a symlink: right for a path that a person gave, not for a listed name. */
export interface LocalFile {
  readonly target: string
  readonly name: string
  readonly path: string
  readonly follow: boolean
}

/**
 * Opens one archive file. OBJECT_NOT_FOUND for what is missing or is no regular file; a FIFO is not waited for.
 * The reader keeps the file it opened, also while a `replace` puts another under the name. The caller disposes it.
 */
export async function openReader(disk: Disk, file: LocalFile, signal?: AbortSignal): Promise<StoredReader> {
  signal?.throwIfAborted()
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (file.follow ? 0 : constants.O_NOFOLLOW)
  const handle = await attempt(file.target, `open ${file.name}`, async () => {
    try {
      return await disk.open(file.path, flags)
    } catch (error) {
      throw ['ENOENT', 'ELOOP', 'ENXIO'].includes(systemCode(error) ?? '') ? notFound(file, error) : error
    }
  })
  try {
    const stat = await attempt(file.target, `open ${file.name}`, async () => await handle.stat())
    if (!stat.isFile()) throw notFound(file)
    return new LocalReader(file, handle, stat.size)
  } catch (error) {
    await handle.close()
    throw error
  }
}

class LocalReader implements StoredReader {
  readonly name: string
  readonly size: number
  readonly #file: LocalFile
  readonly #handle: FileHandle

  constructor(file: LocalFile, handle: FileHandle, size: number) {
    this.name = file.name
    this.size = size
    this.#file = file
    this.#handle = handle
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - offset))
    const buffer = Buffer.allocUnsafe(wanted)
    await attempt(this.#file.target, `read ${this.name}`, async () => {
      for (let filled = 0; filled < wanted;) {
        const { bytesRead } = await this.#handle.read(buffer, filled, wanted - filled, offset + filled)
        if (bytesRead === 0) {
          throw new Error(`the file became shorter: it ended at byte ${offset + filled} of ${this.size}`)
        }
        filled += bytesRead
      }
    })
    return buffer
  }

  stream(signal?: AbortSignal): Readable {
    const stream = Readable.from(this.#pieces(), { objectMode: false, highWaterMark: readSize })
    // Whoever reads hears of an error as it reads; a run that is stopped before that must not end with the process.
    stream.on('error', () => undefined)
    return signal === undefined ? stream : addAbortSignal(signal, stream)
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    for (let offset = 0; offset < this.size; offset += readSize) yield await this.read(offset, readSize)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

function notFound(file: LocalFile, cause?: unknown): SealiftError {
  return new SealiftError('OBJECT_NOT_FOUND', { target: file.target, name: file.name }, cause)
}
