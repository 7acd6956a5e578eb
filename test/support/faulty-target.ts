import { Readable, Transform, pipeline } from 'node:stream'

import { SealiftError } from '../../src/errors.ts'
import type { StoredObject, StoredReader, StoredWriter, Target } from '../../src/targets/target.ts'

type Operation =
  'list' | 'open' | 'create' | 'replace' | 'remove' | 'sweep' | 'free' | 'read' | 'stream' | 'commit'

/** One thing that goes wrong. `nth` counts the calls of its operation from 1; absent means every call. */
export type Fault =
  /** The call fails with this system code, as the place itself would: TARGET_UNAVAILABLE with a cause. */
  | { readonly on: Operation; readonly nth?: number; readonly code: string }
  /** The call waits for this promise first. */
  | { readonly on: Operation; readonly nth?: number; readonly after: Promise<void> }
  /** The nth archive that is written takes so many bytes and then fails. */
  | { readonly on: 'write'; readonly nth?: number; readonly afterBytes: number; readonly code: string }
  /** The nth archive that is opened ends at this byte, while its size still says more. */
  | { readonly on: 'bytes'; readonly nth?: number; readonly cutAt: number }
  /** The nth archive that is opened has the lowest bit of this byte changed. */
  | { readonly on: 'bytes'; readonly nth?: number; readonly flipAt: number }
  /** A listing leaves these names out and shows those objects. */
  | { readonly on: 'listing'; readonly hide?: readonly string[]; readonly show?: readonly StoredObject[] }

/** A target in which `faults` happen; all else is as in `inner`. `calls` counts what was asked of it. */
export function faultyTarget(
  inner: Target,
  faults: readonly Fault[],
): Target & { readonly calls: ReadonlyMap<string, number> } {
  const calls = new Map<string, number>()
  const count = (operation: string): number => {
    const nth = (calls.get(operation) ?? 0) + 1
    calls.set(operation, nth)
    return nth
  }
  const due = (operation: string, nth: number) =>
    faults.filter((fault) => fault.on === operation && (!('nth' in fault) || fault.nth === nth))
  const enter = async (operation: Operation): Promise<void> => {
    for (const fault of due(operation, count(operation))) {
      if ('after' in fault) await fault.after
      if ('code' in fault) throw systemFailure(inner.name, operation, fault.code)
    }
  }
  const writer = (made: StoredWriter): StoredWriter => {
    const fault = due('write', count('write')).find((found) => 'afterBytes' in found)
    const failing = fault === undefined ? made : failingWriter(inner.name, made, fault.afterBytes, fault.code)
    return {
      name: made.name,
      stream: failing.stream,
      async commit() {
        await enter('commit')
        return await failing.commit()
      },
      [Symbol.asyncDispose]: async () => await failing[Symbol.asyncDispose](),
    }
  }
  return {
    name: inner.name,
    kind: inner.kind,
    location: inner.location,
    calls,
    async *list(signal) {
      await enter('list')
      const lies = faults.filter((fault) => fault.on === 'listing')
      for await (const object of inner.list(signal)) {
        if (!lies.some((lie) => lie.hide?.includes(object.name) === true)) yield object
      }
      for (const lie of lies) yield* lie.show ?? []
    },
    async open(name, signal) {
      await enter('open')
      const changes = due('bytes', count('bytes'))
      const cutAt = changes.find((fault) => 'cutAt' in fault)?.cutAt
      const flipAt = changes.find((fault) => 'flipAt' in fault)?.flipAt
      return changedReader(await inner.open(name, signal), { cutAt, flipAt, enter })
    },
    async create(name, options) {
      await enter('create')
      return writer(await inner.create(name, options))
    },
    async replace(name, options) {
      await enter('replace')
      return writer(await inner.replace(name, options))
    },
    async remove(name, signal) {
      await enter('remove')
      await inner.remove(name, signal)
    },
    async sweep(signal) {
      await enter('sweep')
      return await inner.sweep(signal)
    },
    async free() {
      await enter('free')
      return await inner.free()
    },
  }
}

/** TARGET_UNAVAILABLE as a driver throws it, with a system error as the cause. */
export function systemFailure(target: string, operation: string, code: string): SealiftError {
  const cause = systemError(code)
  return new SealiftError('TARGET_UNAVAILABLE', { target, operation, reason: cause.message }, cause)
}

/** An error as Node gives it for a failed system call. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code })
}

function failingWriter(target: string, made: StoredWriter, limit: number, code: string): StoredWriter {
  let taken = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const rest = limit - taken
      taken += chunk.length
      if (chunk.length <= rest) return done(null, chunk)
      this.push(chunk.subarray(0, Math.max(0, rest)))
      return done(systemFailure(target, `write ${made.name}`, code))
    },
  })
  stream.on('error', () => undefined)
  const written = new Promise<void>((resolve, reject) => {
    pipeline(stream, made.stream, (error) => (error ? reject(error) : resolve()))
  })
  written.catch(() => undefined)
  return {
    name: made.name,
    stream,
    async commit() {
      stream.end()
      await written
      return await made.commit()
    },
    async [Symbol.asyncDispose]() {
      stream.destroy()
      await made[Symbol.asyncDispose]()
    },
  }
}

function changedReader(
  inner: StoredReader,
  change: {
    cutAt: number | undefined
    flipAt: number | undefined
    enter: (operation: Operation) => Promise<void>
  },
): StoredReader {
  const { cutAt = inner.size, flipAt = -1, enter } = change
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const bytes = await inner.read(offset, Math.max(0, Math.min(length, cutAt - offset)))
    const byte = bytes[flipAt - offset]
    if (byte !== undefined) bytes[flipAt - offset] = byte ^ 1
    return bytes
  }
  return {
    name: inner.name,
    size: inner.size,
    async read(offset, length) {
      await enter('read')
      return await read(offset, length)
    },
    stream(signal) {
      const pieces = async function* () {
        await enter('stream')
        for (let at = 0; at < cutAt; at += 65_536) {
          signal?.throwIfAborted()
          yield await read(at, 65_536)
        }
      }
      return Readable.from(pieces(), { objectMode: false })
    },
    [Symbol.asyncDispose]: async () => await inner[Symbol.asyncDispose](),
  }
}
