import { open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { Writable } from 'node:stream'
import type { StoredReader } from '../targets/target.ts'
import { atPath } from './at-path.ts'
import type { Context } from './context.ts'
import { privateFolder } from './private-folder.ts'

/**
 * A file of the state folder that is unlinked before the first byte is written: what is kept there for as long as a
 * verb reads it. Only sealed bytes go there. Disposing of it frees the space.
 */
export interface Spool extends AsyncDisposable {
  readonly stream: Writable
  /** What was written, once the stream has ended. It is closed with the spool. */
  reader(name: string): Promise<StoredReader>
}

export async function openSpool(ctx: Context): Promise<Spool> {
  const folder = await privateFolder(path.join(ctx.stateDir, 'incoming'))
  const file = path.join(folder, `${ctx.random(8).toString('hex')}.part`)
  const handle = await open(file, 'ax+', 0o600)
  try {
    await unlink(file)
  } catch (error) {
    await handle.close()
    throw error
  }
  const stream = new Writable({
    highWaterMark: 1 << 20,
    write(block: Buffer, _encoding, done) {
      handle.appendFile(block).then(
        () => done(),
        (error: unknown) => done(atPath(error, file) as Error),
      )
    },
  })
  // Who writes hears of an error; without anybody it must end nothing else.
  stream.on('error', () => undefined)
  return {
    stream,
    async reader(name) {
      const { size } = await handle.stat()
      return {
        name,
        size,
        async read(offset, length) {
          const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
          return buffer.subarray(0, bytesRead)
        },
        stream(signal) {
          const options = { start: 0, autoClose: false, highWaterMark: 1 << 20, ...(signal && { signal }) }
          // As with every reader: who reads hears of an error, and without one it must end nothing else.
          return handle.createReadStream(options).on('error', () => undefined)
        },
        async [Symbol.asyncDispose]() {},
      }
    },
    async [Symbol.asyncDispose]() {
      stream.destroy()
      await handle.close()
    },
  }
}
