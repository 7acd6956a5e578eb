import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import type { Context } from './context.ts'
import type { Report, ReportedError } from './report.ts'
import { rfc3339 } from './time.ts'

export interface Subject {
  readonly app: string
  readonly archive_id?: string
  readonly target?: string
  readonly name?: string
  readonly bytes?: number
}

/** One execution of a verb, as the verb itself sees it. */
export interface Run {
  readonly id: string
  /** Something the reader must know that does not stop the run: it stands in the report and is emitted at once. */
  warn(warning: Warning): void
  /** What the run is about, for the catalogue. A run that names no application is not recorded. */
  concerns(subject: Subject): void
  /** Done once the run is recorded, whether it ended well or not. What fails in it is a warning. */
  afterwards(what: string, work: () => Promise<void>): void
  /** The run has a result and is still not `ok`: a copy failed, a comparison found a difference. */
  fail(error: SealiftError): void
}

/**
 * Runs a verb's work and makes its report. A failure becomes a report of the same shape with `ok: false`; nothing is
 * thrown. Work that ended because `ctx.signal` was aborted reports CANCELLED, whatever it threw on the way
 * out but RECOVERY_NEEDED: then something was left behind.
 */
export async function runVerb<Result>(
  ctx: Context,
  verb: string,
  work: (run: Run) => Promise<Result>,
): Promise<Report<Result>> {
  const started = ctx.now()
  const warnings: Warning[] = []
  let failure: SealiftError | undefined
  let result: Result | undefined
  let subject: Subject | undefined
  const later: { what: string; work: () => Promise<void> }[] = []
  const run: Run = {
    id: ctx.random(8).toString('hex'),
    warn(warning) {
      warnings.push(warning)
      ctx.emit({ type: 'warning', ...warning })
    },
    concerns(about) {
      subject = { ...subject, ...about }
    },
    afterwards(what, work) {
      later.push({ what, work })
    },
    fail(error) {
      failure ??= error
    },
  }
  try {
    ctx.signal.throwIfAborted()
    result = await work(run)
  } catch (error) {
    ctx.onFailure?.(error)
    for (const late of suppressing(error)) {
      run.warn({ code: 'cleanup-incomplete', message: `after the failure: ${reasonOf(late)}` })
    }
    const stopped = ctx.signal.aborted && named(error).code !== 'RECOVERY_NEEDED'
    failure = stopped ? new SealiftError('CANCELLED', {}, error) : named(error)
  }
  const finished = ctx.now()
  const times = { started_at: rfc3339(started), finished_at: rfc3339(finished) }
  const ok = failure === undefined
  if (subject !== undefined) {
    const record = { id: run.id, verb, ok, ...times, ...subject, report: result ?? null }
    const failed = failure === undefined ? {} : { error_code: failure.code }
    remember(run, () => ctx.catalog.recordRun({ ...record, ...failed }))
  }
  for (const { what, work } of later) {
    try {
      await work()
    } catch (error) {
      run.warn({ code: 'not-noted', message: `${what} could not be written: ${reasonOf(error)}` })
    }
  }
  return {
    verb,
    run: run.id,
    ok,
    ...times,
    seconds: (finished.getTime() - started.getTime()) / 1000,
    warnings,
    ...(result === undefined ? {} : { result }),
    ...(failure === undefined ? {} : { error: reported(failure) }),
  }
}

/** Writes to the catalogue. It is a cache: what it cannot hold is a warning, never the end of a run. */
export function remember(run: Run, write: () => void): void {
  try {
    write()
  } catch (error) {
    run.warn({
      code: 'catalog-unavailable',
      message: `the catalogue could not be written: ${reasonOf(error)}`,
    })
  }
}

/** The failures of clearing up that came on top of an error. */
function suppressing(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [error.error, ...suppressing(error.suppressed)] : []
}

/** An error as it stands in a report. */
export function reported(error: unknown): ReportedError {
  const { code, kind, message, hint, data } = named(error)
  return { code, kind, message, data, ...(hint === undefined ? {} : { hint }) }
}

/** Gives a foreign error a code: the file system's own failures are `unavailable`, all else is a fault of ours. */
export function named(error: unknown): SealiftError {
  if (error instanceof SealiftError) return error
  // What failed first says why; what failed while it was cleaned up is a warning of the run.
  if (error instanceof SuppressedError) return named(error.suppressed)
  const system = systemCode(error)
  if (system !== undefined && /^E[A-Z0-9]+$/.test(system) && error instanceof Error) {
    const at = 'path' in error && typeof error.path === 'string' ? error.path : 'the file system'
    const operation = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'work on'
    return new SealiftError('IO_FAILED', { path: at, operation, reason: reasonOf(error) }, error)
  }
  return new SealiftError('BUG', { reason: reasonOf(error) }, error)
}
