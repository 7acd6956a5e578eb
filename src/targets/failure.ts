import { SealiftError, isSealiftError, reasonOf } from '../errors.ts'

/**
 * What a target throws when its place fails: TARGET_UNAVAILABLE with the foreign error as the cause. The reason keeps
 * the system's own word (`ENOSPC: no space left on device, write`). An error that has a code of ours stays as it is.
 */
export function targetFailure(target: string, operation: string, error: unknown): SealiftError {
  if (isSealiftError(error)) return error
  return new SealiftError('TARGET_UNAVAILABLE', { target, operation, reason: reasonOf(error) }, error)
}

/** Runs one operation of a target: what it throws goes through `targetFailure`, unless the caller has aborted it. */
export async function attempt<T>(
  target: string,
  operation: string,
  run: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    signal?.throwIfAborted()
    throw targetFailure(target, operation, error)
  }
}
