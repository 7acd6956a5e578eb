import { Readable, Writable, addAbortSignal } from 'node:stream'
import { finished } from 'node:stream/promises'

import { SealiftError } from '../../src/errors.ts'
import { attempt } from '../../src/targets/failure.ts'
import { checkObjectName } from '../../src/targets/object-name.ts'
import type { StoredObject, StoredReader, StoredWriter, Target } from '../../src/targets/target.ts'

/** A target in this process's memory: the archives by name, to be looked at and changed by a test. */
export interface MemoryTarget extends Target {
  readonly objects: Map<string, { bytes: Buffer; modifiedAt: Date }>
}

/** `capacity` bytes in all, if it is given: what `free` counts from. */
export function memoryTarget(name = 'memory', capacity?: number): MemoryTarget {
  const objects: MemoryTarget['objects'] = new Map()

  const find = (object: string) => {
    checkObjectName(name, object)
    const found = objects.get(object)
    if (found === undefined) throw new SealiftError('OBJECT_NOT_FOUND', { target: name, name: object })
    return found
  }
  const refuseTaken = (object: string) => {
    checkObjectName(name, object)
    if (objects.has(object)) throw new SealiftError('OBJECT_EXISTS', { target: name, name: object })
  }
  const free = () => {
    if (capacity === undefined) return undefined
    return capacity - [...objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }
  const write = (
    object: string,
    beforePublish: () => void,
    options: { expectedSize?: number; signal?: AbortSignal } = {},
  ) => {
    const left = free()
    const needed = options.expectedSize ?? 0
    if (left !== undefined && left < needed) {
      throw new SealiftError('TARGET_FULL', { target: name, needed, free: left })
    }
    return memoryWriter(name, object, options.signal, (bytes) => {
      beforePublish()
      const modifiedAt = new Date()
      objects.set(object, { bytes, modifiedAt })
      return { name: object, size: bytes.length, modifiedAt }
    })
  }

  return {
    name,
    kind: 'memory',
    location: 'memory',
    objects,
    async *list(signal) {
      for (const [object, { bytes, modifiedAt }] of objects) {
        signal?.throwIfAborted()
        yield { name: object, size: bytes.length, modifiedAt }
      }
      signal?.throwIfAborted()
    },
    async open(object, signal) {
      signal?.throwIfAborted()
      return memoryReader(object, find(object).bytes)
    },
    async create(object, options) {
      options?.signal?.throwIfAborted()
      refuseTaken(object)
      return write(object, () => refuseTaken(object), options)
    },
    async replace(object, options) {
      options?.signal?.throwIfAborted()
      find(object)
      return write(object, () => undefined, options)
    },
    async remove(object, signal) {
      signal?.throwIfAborted()
      find(object)
      objects.delete(object)
    },
    async sweep(signal) {
      signal?.throwIfAborted()
      return []
    },
    async free() {
      return free()
    },
  }
}

function memoryReader(name: string, bytes: Buffer): StoredReader {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      return Buffer.from(bytes.subarray(offset, offset + length))
    },
    stream(signal) {
      const pieces = function* () {
        for (let at = 0; at < bytes.length; at += 65_536) yield Buffer.from(bytes.subarray(at, at + 65_536))
      }
      const stream = Readable.from(pieces(), { objectMode: false })
      return signal === undefined ? stream : addAbortSignal(signal, stream)
    },
    async [Symbol.asyncDispose]() {},
  }
}

function memoryWriter(
  target: string,
  name: string,
  signal: AbortSignal | undefined,
  publish: (bytes: Buffer) => StoredObject,
): StoredWriter {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  stream.on('error', () => undefined)
  if (signal !== undefined) addAbortSignal(signal, stream)
  let ended = false
  return {
    name,
    stream,
    async commit() {
      if (ended) throw new SealiftError('BUG', { reason: `${name} was committed or disposed before` })
      ended = true
      const finish = async () => {
        stream.end()
        await finished(stream)
        signal?.throwIfAborted()
        return publish(Buffer.concat(chunks))
      }
      return await attempt(target, `write ${name}`, finish, signal)
    },
    async [Symbol.asyncDispose]() {
      ended = true
      stream.destroy()
    },
  }
}
