import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

import type { Disk } from '../../src/targets/folder.ts'
import { systemError } from './faulty-target.ts'

/**
 * What is asked before each call: the system code that it fails with, or undefined to let it happen. Operations are
 * named as in node:fs/promises; those on an open folder begin with `folder-`.
 */
export type DiskPlan = (operation: string) => string | undefined

/**
 * The real disk, on which the calls that `plan` names fail. A failed `close` has closed the file, as in close(2).
 * `most` bounds what one read or write moves, as a disk under a signal or a quota does.
 */
export function faultyDisk(plan: DiskPlan, most = Infinity): Disk {
  const guard = (operation: string) => {
    const code = plan(operation)
    if (code !== undefined) throw systemError(code)
  }
  const guarded =
    <A extends unknown[], R>(operation: string, call: (...values: A) => Promise<R>) =>
    async (...values: A): Promise<R> => {
      guard(operation)
      return await call(...values)
    }
  return {
    open: async (...values: Parameters<typeof fs.open>) => {
      const [, flags] = values
      const kind = typeof flags === 'number' && (flags & constants.O_DIRECTORY) !== 0 ? 'folder-' : ''
      guard(`${kind}open`)
      return faultyHandle(await fs.open(...values), (operation) => guard(`${kind}${operation}`), most)
    },
    link: guarded('link', fs.link),
    unlink: guarded('unlink', fs.unlink),
    rename: guarded('rename', fs.rename),
    statfs: guarded('statfs', fs.statfs) as Disk['statfs'],
    mkdir: guarded('mkdir', fs.mkdir) as Disk['mkdir'],
    lstat: guarded('lstat', fs.lstat) as Disk['lstat'],
    readdir: guarded('readdir', fs.readdir) as Disk['readdir'],
  }
}

/** A plan in which the nth call of all fails, or every call from the nth on. `reached` says whether it came so far. */
export function failingStep(
  nth: number,
  code: string,
  forEver: boolean,
): { plan: DiskPlan; reached(): boolean } {
  let calls = 0
  return {
    plan: () => {
      calls += 1
      return calls === nth || (forEver && calls > nth) ? code : undefined
    },
    reached: () => calls >= nth,
  }
}

function faultyHandle(handle: FileHandle, guard: (operation: string) => void, most: number): FileHandle {
  return new Proxy(handle, {
    get(real, property) {
      if (property === 'close') {
        return async () => {
          await real.close()
          guard('close')
        }
      }
      if (property === 'writev') {
        return async (buffers: readonly Buffer[]) => {
          guard('writev')
          return await real.writev(first(buffers, most))
        }
      }
      if (property === 'read') {
        return async (buffer: Buffer, offset: number, length: number, position: number) => {
          guard('read')
          return await real.read(buffer, offset, Math.min(length, most), position)
        }
      }
      const value: unknown = Reflect.get(real, property, real)
      if (typeof value !== 'function') return value
      return (...values: unknown[]): unknown => {
        if (typeof property === 'string') guard(property)
        return Reflect.apply(value, real, values)
      }
    },
  })
}

/** The first `most` bytes of a list of buffers. */
function first(buffers: readonly Buffer[], most: number): Buffer[] {
  const all: Buffer[] = []
  for (let left = most, index = 0; left > 0 && index < buffers.length; index++) {
    const part = buffers[index]?.subarray(0, left) ?? Buffer.alloc(0)
    all.push(part)
    left -= part.length
  }
  return all
}
