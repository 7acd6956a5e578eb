import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { mkdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { SealiftError } from '../errors.ts'
import { attempt } from './failure.ts'
import type { RsyncClaim } from './rsync-claim.ts'
import { dropClaim, filters, riskOf, takeClaim } from './rsync-claim.ts'
import { listEntries } from './rsync-list.ts'
import type { RsyncRemote } from './rsync-remote.ts'
import { pauseAfter } from './rsync-remote.ts'
import type { StoredObject, StoredWriter } from './target.ts'

/** The archive to write. */
export interface RsyncWrite {
  readonly name: string
  /** A folder of this write alone, on this machine. */
  readonly scratch: string
  /** Refuses a name that is taken. */
  readonly onlyNew: boolean
}

/**
 * Claims the name, which also shows that the account may write there, and takes the sealed bytes into a private file:
 * rsync sends files. The caller disposes the writer.
 */
export async function openRsyncWriter(
  remote: RsyncRemote,
  write: RsyncWrite,
  signal?: AbortSignal,
): Promise<StoredWriter> {
  const send = join(write.scratch, 'send')
  try {
    await mkdir(send, { recursive: true, mode: 0o700 })
    const claim = await takeClaim(remote, write.name, write.scratch, write.onlyNew, signal)
    return new RsyncWriter(remote, write, claim, send, signal)
  } catch (error) {
    await rm(write.scratch, { recursive: true, force: true })
    throw error
  }
}

class RsyncWriter implements StoredWriter {
  readonly name: string
  readonly stream: WriteStream
  readonly #remote: RsyncRemote
  readonly #write: RsyncWrite
  readonly #claim: RsyncClaim
  readonly #send: string
  readonly #signal: AbortSignal | undefined
  #ended = false
  /** Whether the other side may still be putting away what came before a cut. */
  #cut = false

  constructor(
    remote: RsyncRemote,
    write: RsyncWrite,
    claim: RsyncClaim,
    send: string,
    signal: AbortSignal | undefined,
  ) {
    this.name = write.name
    this.#remote = remote
    this.#write = write
    this.#claim = claim
    this.#send = send
    this.#signal = signal
    this.stream = createWriteStream(join(send, this.name), {
      flags: 'wx',
      mode: 0o600,
      highWaterMark: 1 << 20,
    })
    // Whoever writes hears of an error from `pipeline`, or else from commit(); with no listener it would end the process.
    this.stream.on('error', () => undefined)
    if (signal !== undefined) addAbortSignal(signal, this.stream)
  }

  async commit(): Promise<StoredObject> {
    if (this.#ended)
      throw new SealiftError('BUG', { reason: `${this.name} was committed or disposed before` })
    try {
      const file = join(this.#send, this.name)
      const operation = `write ${this.name}`
      const whole = async () => {
        this.stream.end()
        await finished(this.stream)
        // Whole seconds, as rsync lists them.
        const now = new Date(Math.floor(Date.now() / 1000) * 1000)
        await utimes(file, now, now)
        const { size } = await stat(file)
        if (size !== this.stream.bytesWritten) throw new Error(`the file to send has ${size} bytes`)
        return { name: this.name, size, modifiedAt: now }
      }
      const stored = await attempt(this.#remote.target, operation, whole, this.#signal)
      await this.#upload(operation)
      this.#ended = true
      await rm(this.#write.scratch, { recursive: true, force: true })
      return stored
    } catch (error) {
      await this[Symbol.asyncDispose]()
      this.#signal?.throwIfAborted()
      throw error
    }
  }

  /**
   * Sends the file, which rsync writes under a hidden name, syncs and renames; then the claim is removed in the same
   * connection. What a cut connection left there is taken up by the next try.
   */
  async #upload(operation: string): Promise<void> {
    for (let idle = 0; ; idle++) {
      try {
        this.#cut = true
        const rules = [...riskOf([this.#claim.file, this.#claim.parts]), 'protect *']
        const lines = await this.#remote.run(
          operation,
          [
            '--dirs',
            '--times',
            '--omit-dir-times',
            '--fsync',
            this.#write.onlyNew ? '--ignore-existing' : '--ignore-times',
            `--partial-dir=${this.#claim.parts}`,
            '--delete-after',
            ...filters(rules),
            '--out-format=%i %n',
            `${this.#send}/`,
            this.#remote.place,
          ],
          this.#signal,
        )
        this.#cut = false
        if (lines?.some((line) => line.startsWith('<f') && line.endsWith(` ${this.name}`)) === true) return
        // Not sent: there is one already, which the last step of a try that was cut may have made.
        if (idle > 0 && (await this.#isThere(operation))) return
        throw new SealiftError('OBJECT_EXISTS', { target: this.#remote.target, name: this.name })
      } catch (error) {
        await pauseAfter(error, idle, this.#signal)
      }
    }
  }

  /** Whether the archive on the other host has the bytes of the file: both sides read theirs. */
  async #isThere(operation: string): Promise<boolean> {
    const args = ['--dirs', '--dry-run', '--checksum', '--existing', '--out-format=%i %n']
    const differing = await this.#remote.run(
      operation,
      [...args, `${this.#send}/`, this.#remote.place],
      this.#signal,
    )
    const sent = differing?.some((line) => line.startsWith('<') && line.endsWith(` ${this.name}`)) === true
    return !sent && (await listEntries(this.#remote, [this.name], operation, this.#signal)).length === 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.stream.destroy()
    await finished(this.stream).catch(() => undefined)
    // The other side puts away what it has when it sees that the connection is cut.
    if (this.#cut) await sleep(1000)
    // What cannot be removed now names this process, and goes with a sweep after it. An error here would hide the one
    // that led here.
    await dropClaim(this.#remote, this.name, this.#claim, this.#write.scratch).catch(() => undefined)
    await rm(this.#write.scratch, { recursive: true, force: true }).catch(() => undefined)
  }
}
