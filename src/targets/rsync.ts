import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

import { SealiftError } from '../errors.ts'
import { attempt } from './failure.ts'
import { archiveEndings, checkObjectName, isObjectName } from './object-name.ts'
import { partName, thisProcess } from './part-file.ts'
import { removeEntries } from './rsync-claim.ts'
import { listEntries } from './rsync-list.ts'
import type { RsyncOptions } from './rsync-options.ts'
import { openRsyncReader } from './rsync-reader.ts'
import { RsyncRemote } from './rsync-remote.ts'
import { remotePlace } from './rsync-ssh.ts'
import { sweepRemote, sweepScratch } from './rsync-sweep.ts'
import { openRsyncWriter } from './rsync-writer.ts'
import type { StoredObject, StoredReader, StoredWriter, Target, TargetDriver } from './target.ts'

/**
 * Archives as files in a folder of another host, by rsync over SSH: both are programs of the system, 3.2.4 or newer for
 * rsync on both sides. The other side runs nothing but rsync, so an account that `rrsync` restricts to the folder will
 * do; it must be allowed to remove. What is sent and read lies sealed in the scratch folder meanwhile.
 */
export const rsync: TargetDriver<RsyncOptions> = {
  kind: 'rsync',
  open(name, options, scratch) {
    if (scratch === undefined) throw new SealiftError('BUG', { reason: 'rsync needs a scratch folder' })
    return new RsyncTarget(name, options, join(scratch, 'rsync'))
  },
}

class RsyncTarget implements Target {
  readonly name: string
  readonly kind = 'rsync'
  readonly location: string
  readonly host: string
  readonly #remote: RsyncRemote
  readonly #scratch: string

  constructor(name: string, options: RsyncOptions, scratch: string) {
    this.name = name
    this.location = remotePlace(options)
    this.host = options.host
    this.#remote = new RsyncRemote(name, options)
    this.#scratch = scratch
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredObject> {
    for (const { name, folder, size, modifiedAt } of await listEntries(
      this.#remote,
      archiveEndings.map((ending) => `*.${ending}`),
      'list',
      signal,
    )) {
      signal?.throwIfAborted()
      if (!folder && isObjectName(name)) yield { name, size, modifiedAt }
    }
  }

  async open(name: string, signal?: AbortSignal): Promise<StoredReader> {
    checkObjectName(this.name, name)
    signal?.throwIfAborted()
    const scratch = await this.#own(name, `open ${name}`)
    return await openRsyncReader(this.#remote, { name, scratch }, signal)
  }

  async create(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    return await this.#writer(name, true, options)
  }

  async replace(
    name: string,
    options?: { expectedSize?: number; signal?: AbortSignal },
  ): Promise<StoredWriter> {
    checkObjectName(this.name, name)
    const found = await listEntries(this.#remote, [name], `replace ${name}`, options?.signal)
    if (found.length === 0) throw new SealiftError('OBJECT_NOT_FOUND', { target: this.name, name })
    return await this.#writer(name, false, options)
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkObjectName(this.name, name)
    signal?.throwIfAborted()
    const scratch = await this.#own(name, `remove ${name}`)
    try {
      const removed = await removeEntries(this.#remote, `remove ${name}`, scratch, [name], signal)
      if (removed.length === 0) throw new SealiftError('OBJECT_NOT_FOUND', { target: this.name, name })
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  async sweep(signal?: AbortSignal): Promise<string[]> {
    signal?.throwIfAborted()
    const scratch = await this.#own('sweep.sealift', 'sweep')
    try {
      await attempt(this.name, 'sweep', async () => await sweepScratch(this.#scratch, new Date()), signal)
      return await sweepRemote(this.#remote, scratch, new Date(), signal)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  /** rsync does not say how much there is. */
  async free(): Promise<undefined> {
    return undefined
  }

  async #writer(
    name: string,
    onlyNew: boolean,
    options: { expectedSize?: number; signal?: AbortSignal } = {},
  ): Promise<StoredWriter> {
    options.signal?.throwIfAborted()
    const scratch = await this.#own(name, `create ${name}`, options.expectedSize)
    return await openRsyncWriter(this.#remote, { name, scratch, onlyNew }, options.signal)
  }

  /** A private folder on this machine for one operation, named for its process. DISK_FULL if it has not the room. */
  async #own(name: string, operation: string, needed = 0): Promise<string> {
    const path = join(this.#scratch, partName(name, thisProcess()))
    await attempt(this.name, operation, async () => {
      await mkdir(path, { recursive: true, mode: 0o700 })
      const { bavail, bsize } = await statfs(path)
      const free = bavail * bsize
      if (free >= needed) return
      await rm(path, { recursive: true, force: true })
      throw new SealiftError('DISK_FULL', { path: this.#scratch, needed, free })
    })
    return path
  }
}
