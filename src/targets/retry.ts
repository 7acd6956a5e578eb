import { isSealiftError, systemCode } from '../errors.ts'
import { retryingReader } from './retry-reader.ts'
import type { StoredObject, Target, TargetDriver } from './target.ts'

/** How long to be patient, and what is handed in for it. */
export interface Patience {
  /** Tries in all, the first included. */
  readonly tries: number
  /** The longest first wait, in ms; each further one may be twice as long, up to `longest`. */
  readonly first: number
  readonly longest: number
  /** After so many ms no further try is begun. */
  readonly enough: number
  readonly now: () => number
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** Resolves after so many ms; rejects with the signal’s reason when that is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** What a failure is followed by: whether to try again, after a wait that is over when this returns. */
export type Again = (error: unknown, signal?: AbortSignal) => Promise<boolean>

/**
 * The same target, with patience: what fails with TARGET_UNAVAILABLE for a reason that may pass is tried again, after
 * waits that double and are shortened at random, so that many clients do not return at one moment. Streams are read on
 * from the byte that was reached. What is written is not: a stream that broke cannot be had again, and `commit()` of a
 * driver knows better what may be repeated. An `AbortSignal` ends the waiting.
 */
export function retrying(target: Target, patience: Patience): Target {
  const attempts = async <T>(run: (again: boolean) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const again = patient(patience)
    for (let repeated = false; ; repeated = true) {
      try {
        return await run(repeated)
      } catch (error) {
        if (!(await again(error, signal))) throw error
      }
    }
  }
  return {
    name: target.name,
    kind: target.kind,
    location: target.location,
    ...(target.host === undefined ? {} : { host: target.host }),
    async *list(signal) {
      // A listing that broke begins anew, and goes on with what it had not yet named.
      const named = new Set<string>()
      const again = patient(patience)
      for (;;) {
        try {
          yield* unnamed(target.list(signal), named)
          return
        } catch (error) {
          if (!(await again(error, signal))) throw error
        }
      }
    },
    async open(name, signal) {
      const reader = await attempts(async () => await target.open(name, signal), signal)
      return retryingReader(reader, () => patient(patience))
    },
    async create(name, options) {
      return await attempts(async () => await target.create(name, options), options?.signal)
    },
    async replace(name, options) {
      return await attempts(async () => await target.replace(name, options), options?.signal)
    },
    async remove(name, signal) {
      await attempts(async (repeated) => {
        try {
          await target.remove(name, signal)
        } catch (error) {
          // The try whose answer was lost has removed it.
          if (!repeated || !isSealiftError(error, 'OBJECT_NOT_FOUND')) throw error
        }
      }, signal)
    },
    async sweep(signal) {
      return await attempts(async () => await target.sweep(signal), signal)
    },
    async free() {
      return await attempts(async () => await target.free())
    },
  }
}

/** The same kind of target, with patience. */
export function retryingDriver<Options>(
  driver: TargetDriver<Options>,
  patience: Patience,
): TargetDriver<Options> {
  return {
    kind: driver.kind,
    open: (name, options, scratch) => retrying(driver.open(name, options, scratch), patience),
  }
}

/** Counts tries and waits between them. */
function patient({ tries, first, longest, enough, now, random, sleep }: Patience): Again {
  const begun = now()
  let made = 1
  return async (error, signal) => {
    if (made >= tries || !mayPass(error) || now() - begun >= enough) return false
    // Half of it always, the rest at random: never at once, and never all together.
    const wait = Math.min(longest, first * 2 ** (made - 1))
    made += 1
    await sleep(wait / 2 + (random() * wait) / 2, signal)
    signal?.throwIfAborted()
    return true
  }
}

/** What the system calls failures of a connection, or of a mount whose server is away for a while. */
const passing = new Set([
  'EAGAIN',
  'EAI_AGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ESTALE',
  'ETIMEDOUT',
])

/** Whether another try may succeed: as the driver says it, or by the code of the system. */
export function mayPass(error: unknown): boolean {
  if (!isSealiftError(error, 'TARGET_UNAVAILABLE')) return false
  return error.data.transient ?? passing.has(systemCode(error.cause) ?? '')
}

async function* unnamed(
  objects: AsyncIterable<StoredObject>,
  named: Set<string>,
): AsyncGenerator<StoredObject> {
  for await (const object of objects) {
    if (named.has(object.name)) continue
    named.add(object.name)
    yield object
  }
}
