import { reasonOf, SealiftError, systemCode } from '../errors.ts'

/** SQLSTATEs that say: somebody else is in the way. lock_not_available, deadlock_detected, object_in_use. */
const BUSY = new Set(['55P03', '40P01', '55006'])
/** Messages of these never quote a value: integrity violations, and string_data_right_truncation. */
const SAFE = /^(23...|22001)$/

/** What the server or the connection said, apart from what comes of the rows that were being sent. */
export class FromServer extends Error {
  override readonly name = 'FromServer'

  constructor(cause: unknown) {
    super(reasonOf(cause), { cause })
  }
}

interface ServerError {
  readonly code?: string
  readonly table?: string
  readonly where?: string
}

/** The named error for one of the server or of the connection to it. */
export function postgresFailure(database: string, operation: string, error: unknown): unknown {
  if (error instanceof SealiftError) return error
  const code = systemCode(error)
  const reason = reasonOf(error)
  if (code !== undefined && BUSY.has(code))
    return new SealiftError('DATABASE_BUSY', { database, reason }, error)
  return new SealiftError('DATABASE_UNAVAILABLE', { database, operation, reason }, error)
}

/**
 * ROWS_REFUSED where the server says that data does not fit, with the place it names. Its own words only where they
 * cannot quote a value, and no cause: the server's error carries the row.
 */
export function refusalOf(table: string, error: unknown): SealiftError | undefined {
  const code = systemCode(error) ?? ''
  if (!/^(22|23)/.test(code)) return undefined
  const { where, table: named } = error as ServerError
  const place = /^COPY .*?, line (\d+)(?:, column ([^:]+))?/m.exec(where ?? '')
  return new SealiftError('ROWS_REFUSED', {
    table: named ?? table,
    ...(place?.[1] === undefined ? {} : { row: Number(place[1]) }),
    ...(place?.[2] === undefined ? {} : { column: place[2] }),
    reason: SAFE.test(code) ? reasonOf(error) : `a value does not fit (SQLSTATE ${code})`,
  })
}
