import { fstatSync, read } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { SealiftError, systemCode } from '../errors.ts'
import { Secret } from '../secret.ts'
import { decode, keyFileLimit, refused, singleLine } from './key-file.ts'

const tries = 200
const pauseMs = 25

/**
 * The one line that an inherited file descriptor gives (`--passphrase-fd 3 3< FILE`). It is not closed: where nothing
 * was inherited under this number it may be one of Node's own. USAGE for one that is not open, a terminal, or gives
 * nothing; KEY_FILE_REFUSED for what is not one line.
 */
export async function readDescriptor(fd: number, signal: AbortSignal): Promise<Secret> {
  const name = `file descriptor ${fd}`
  refuseOther(fd, name)
  const stopped = Promise.withResolvers<never>()
  const onAbort = (): void => stopped.reject(new SealiftError('CANCELLED', {}, signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    // A pipe whose writer is slow is waited for in another thread, from which nothing calls it back.
    const bytes = await Promise.race([readAll(fd, name, signal), stopped.promise])
    return new Secret(singleLine(decode(bytes, name), name))
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function refuseOther(fd: number, name: string): void {
  try {
    const stats = fstatSync(fd)
    // What Node has open for itself (epoll, eventfd) is none of these.
    if (isatty(fd)) throw unusable(name, 'is a terminal')
    if (!stats.isFile() && !stats.isFIFO() && !stats.isSocket())
      throw unusable(name, 'is no file and no pipe')
  } catch (error) {
    if (systemCode(error) === 'EBADF') throw unusable(name, 'is not open', error)
    throw error
  }
}

async function readAll(fd: number, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const buffer = Buffer.alloc(keyFileLimit + 1)
  let length = 0
  for (let idle = 0; length < buffer.length;) {
    const bytesRead = await readSome(fd, buffer, length)
    if (bytesRead === 0) return buffer.subarray(0, length)
    if (bytesRead !== undefined) {
      length += bytesRead
      continue
    }
    idle += 1
    if (idle > tries) throw unusable(name, 'gives nothing to read')
    await sleep(pauseMs, undefined, { signal })
  }
  throw refused(name, `it is longer than ${keyFileLimit} bytes`)
}

/** Undefined where there is nothing yet and the descriptor does not wait. */
async function readSome(fd: number, buffer: Buffer, offset: number): Promise<number | undefined> {
  try {
    return (await promisify(read)(fd, buffer, offset, buffer.length - offset, null)).bytesRead
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined
    throw error
  }
}

function unusable(name: string, why: string, cause?: unknown): SealiftError {
  return new SealiftError('USAGE', { reason: `${name} of --passphrase-fd ${why}` }, cause)
}
