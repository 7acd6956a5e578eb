/**
 * Every failure that Sealift can name: one class over one table of codes (`error-table.ts`). Nothing below the edges
 * knows of exit codes or statuses.
 */
import type { Entry, ErrorKind } from './error-table.ts'
import { table } from './error-table.ts'

export type { ErrorKind }

export type ErrorCode = keyof typeof table
/** What an error of this code was made from; `{}` where its sentence needs nothing. */
export type ErrorData<C extends ErrorCode> =
  Parameters<(typeof table)[C]['say']> extends [infer Data] ? Data : Record<string, never>

export const errorTable: Readonly<Record<ErrorCode, Entry>> = table

/** A failure with a stable code. `data` is what the sentence was made from; `cause` keeps the foreign error. */
export class SealiftError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly kind: ErrorKind
  readonly data: ErrorData<C>
  readonly hint: string | undefined

  constructor(code: C, data: ErrorData<C>, cause?: unknown) {
    const entry = errorTable[code]
    super(entry.say(data), cause === undefined ? undefined : { cause })
    this.name = 'SealiftError'
    this.code = code
    this.kind = entry.kind
    this.data = data
    this.hint = entry.hint
  }

  toJSON(): { code: string; kind: ErrorKind; message: string; hint?: string; data: unknown } {
    const { code, kind, message, hint, data } = this
    return { code, kind, message, ...(hint === undefined ? {} : { hint }), data }
  }
}

export function isSealiftError<C extends ErrorCode>(error: unknown, code?: C): error is SealiftError<C> {
  return error instanceof SealiftError && (code === undefined || error.code === code)
}

/** The Node error code (`ENOENT`, `ENOSPC`, …) of a foreign error, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** One line that says what went wrong, for any thrown value. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
