import * as fs from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { z } from 'zod'

import { SealiftError, systemCode } from '../errors.ts'
import { attempt } from './failure.ts'
import type { Disk } from './folder.ts'
import { freeBytes, makeFolder, regularFile, syncFolder } from './folder.ts'
import { publishNew, publishOver } from './local-publish.ts'
import { openReader } from './local-reader.ts'
import { openWriter } from './local-writer.ts'
import { checkObjectName, isObjectName } from './object-name.ts'
import { partName, thisProcess } from './part-file.ts'
import { sweepFolder } from './sweep-folder.ts'
import type { StoredObject, StoredReader, StoredWriter, Target, TargetDriver } from './target.ts'

export const localOptions = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('The folder for the archives. It is made, with mode 0700, when the first one is written.'),
})

export type LocalOptions = z.infer<typeof localOptions>

/** Archives as files in a folder: a second disk, a mounted share, or a place that another tool copies off the host. */
export const local: TargetDriver<LocalOptions> = {
  kind: 'local',
  open: (name, options) => openLocal(name, options, fs),
}

/**
 * The target `local` on a given disk. A folder that is not there holds nothing, until the first archive is created.
 * Only regular files count: a symlink in the folder is neither listed nor followed, because what a rule of retention
 * counts, and what a verification proves, must lie in this folder itself. The folder's own path may be a symlink.
 */
export function openLocal(name: string, options: LocalOptions, disk: Disk): Target {
  return new LocalTarget(name, resolve(options.path), disk)
}

class LocalTarget implements Target {
  readonly name: string
  readonly kind = 'local'
  readonly location: string
  readonly #disk: Disk

  constructor(name: string, folder: string, disk: Disk) {
    this.name = name
    this.location = folder
    this.#disk = disk
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredObject> {
    signal?.throwIfAborted()
    for (const name of await this.#attempt('list', async () => await this.#names())) {
      signal?.throwIfAborted()
      const file = await this.#attempt('list', async () => await regularFile(this.#disk, this.#path(name)))
      if (file !== undefined) yield { name, size: file.size, modifiedAt: file.mtime }
    }
  }

  async open(name: string, signal?: AbortSignal): Promise<StoredReader> {
    checkObjectName(this.name, name)
    return await openReader(
      this.#disk,
      { target: this.name, name, path: this.#path(name), follow: false },
      signal,
    )
  }

  async create(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    options?.signal?.throwIfAborted()
    await this.#attempt(`create ${name}`, async () => {
      await this.#refuseFull(options?.expectedSize)
      await makeFolder(this.#disk, this.location)
      // Told before the work is done; the publication itself decides.
      if ((await regularFile(this.#disk, this.#path(name))) !== undefined) {
        throw new SealiftError('OBJECT_EXISTS', { target: this.name, name })
      }
    })
    return await this.#writer(
      name,
      async (part, path) => await publishNew(this.#disk, this.name, name, part, path),
      options?.signal,
    )
  }

  async replace(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    options?.signal?.throwIfAborted()
    await this.#attempt(`replace ${name}`, async () => {
      if ((await regularFile(this.#disk, this.#path(name))) === undefined) throw this.#notFound(name)
      await this.#refuseFull(options?.expectedSize)
    })
    return await this.#writer(
      name,
      async (part, path) => await publishOver(this.#disk, part, path),
      options?.signal,
    )
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkObjectName(this.name, name)
    signal?.throwIfAborted()
    await this.#attempt(`remove ${name}`, async () => {
      if ((await regularFile(this.#disk, this.#path(name))) === undefined) throw this.#notFound(name)
      try {
        await this.#disk.unlink(this.#path(name))
      } catch (error) {
        throw systemCode(error) === 'ENOENT' ? this.#notFound(name, error) : error
      }
      await syncFolder(this.#disk, this.location)
    })
  }

  async sweep(signal?: AbortSignal): Promise<string[]> {
    const sweep = async () => await sweepFolder(this.#disk, this.location, new Date(), signal)
    return await attempt(this.name, 'sweep', sweep, signal)
  }

  async free(): Promise<number> {
    return await this.#attempt('free space', async () => await freeBytes(this.#disk, this.location))
  }

  async #names(): Promise<string[]> {
    try {
      return (await this.#disk.readdir(this.location)).filter(isObjectName)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }

  async #refuseFull(needed = 0): Promise<void> {
    const free = await freeBytes(this.#disk, this.location)
    if (free < needed) throw new SealiftError('TARGET_FULL', { target: this.name, needed, free })
  }

  async #writer(
    name: string,
    publish: (part: string, path: string) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<StoredWriter> {
    const part = this.#path(partName(name, thisProcess()))
    return await openWriter(this.#disk, { target: this.name, name, part, publish }, signal)
  }

  async #attempt<T>(operation: string, run: () => Promise<T>): Promise<T> {
    return await attempt(this.name, operation, run)
  }

  #path(name: string): string {
    return join(this.location, name)
  }

  #notFound(name: string, cause?: unknown): SealiftError {
    return new SealiftError('OBJECT_NOT_FOUND', { target: this.name, name }, cause)
  }
}

/** Opens the archive file at a path that a person gave: any name, also through a symlink. The caller disposes it. */
export async function openPath(path: string, signal?: AbortSignal): Promise<StoredReader> {
  return await openReader(fs, { target: 'local', name: path, path, follow: true }, signal)
}
