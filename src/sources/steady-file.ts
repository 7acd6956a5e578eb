import { constants, fstatSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fill, readDescriptor, readSize } from './descriptor.ts'

/** Up to this size a file is held in memory, so that it can be read again when it changes meanwhile. */
export const smallFile = 8 * 1024 * 1024
/** File systems stamp changes by the kernel's tick, at most 10 ms: two changes within one tick look like one. */
const tickMs = 20

/** A regular file that was read whole, or that stays open to be streamed. Whoever got it closes `handle`. */
export type SteadyFile = {
  readonly stat: BigIntStats
  /** It changed while it was read, and again while it was read a second time. */
  readonly changed: boolean
} & ({ readonly bytes: Buffer } | { readonly handle: FileHandle })

/**
 * Opens the regular file that `expected` describes, following no symlink and waiting for no FIFO, and reads it if it
 * is small: again if it changed meanwhile, and then the second reading counts. `undefined` if something else lies
 * there now. Throws the system's error.
 */
export async function openSteady(path: string, expected: BigIntStats): Promise<SteadyFile | undefined> {
  let handle: FileHandle | undefined = await open(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  )
  try {
    let before = look(handle)
    if (!before.isFile() || before.ino !== expected.ino || before.dev !== expected.dev) return undefined
    for (let reading = 1; ; reading += 1) {
      before = await settled(handle, before)
      if (before.size > smallFile) {
        const streamed = { stat: before, changed: false, handle }
        handle = undefined
        return streamed
      }
      const size = Number(before.size)
      // At least one byte, so that a file that hides its size (procfs) is not taken for an empty one.
      const bytes = await fill(handle, Buffer.allocUnsafe(Math.max(size, 1)), 0)
      const after = look(handle)
      const steady = bytes.length === size && sameState(before, after) && !fresh(before)
      if (steady || reading === 2) return { stat: before, changed: !steady, bytes: bytes.subarray(0, size) }
      before = after
    }
  } finally {
    await handle?.close()
  }
}

/**
 * Streams a file at exactly the size that it had when it was opened: cut there if it grew, filled up with zeros if it
 * shrank. `changed` is called if its content is not that of one moment. Closes nothing.
 */
export async function* streamSteady(
  handle: FileHandle,
  stat: BigIntStats,
  signal: AbortSignal,
  changed: () => void,
): AsyncGenerator<Buffer> {
  const size = Number(stat.size)
  let given = 0
  for await (const piece of readDescriptor(handle, size, signal)) {
    given += piece.length
    yield piece
  }
  if (given < size || !sameState(stat, look(handle))) changed()
  const zeros = Buffer.alloc(given < size ? readSize : 0)
  for (; given < size; given += readSize) {
    signal.throwIfAborted()
    yield zeros.subarray(0, Math.min(readSize, size - given))
  }
}

/** Waits once until the last change is older than a tick, so that the next one shows in the times. */
async function settled(handle: FileHandle, stat: BigIntStats): Promise<BigIntStats> {
  if (!fresh(stat)) return stat
  await sleep(tickMs)
  return look(handle)
}

/** At once: it touches no disk, and a way through the thread pool would cost more than it does. */
function look(handle: FileHandle): BigIntStats {
  return fstatSync(handle.fd, { bigint: true })
}

/** The wall clock itself: it is compared with times that the kernel took from it. */
function fresh(stat: BigIntStats): boolean {
  return Math.abs(Date.now() - Number(stat.ctimeNs / 1_000_000n)) < tickMs
}

function sameState(a: BigIntStats, b: BigIntStats): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}
