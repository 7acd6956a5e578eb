import { reasonOf, SealiftError, systemCode } from '../errors.ts'

/** A failure of an open file, which does not say itself which one: IO_FAILED with its path. Other errors stay. */
export function atPath(error: unknown, file: string): unknown {
  if (error instanceof SealiftError || systemCode(error) === undefined || !(error instanceof Error))
    return error
  if ('path' in error || !('syscall' in error)) return error
  const operation = String(error.syscall)
  return new SealiftError('IO_FAILED', { path: file, operation, reason: reasonOf(error) }, error)
}
