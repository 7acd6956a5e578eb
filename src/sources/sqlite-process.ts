import { dirname, extname, join } from 'node:path'
import { SealiftError } from '../errors.ts'
import { stream } from './process.ts'
import type { SqliteExam, SqliteReport, SqliteRequest } from './sqlite-report.ts'

/** What a database is asked about: names for errors, and the longest wait in seconds. */
export interface SqliteQuestion {
  readonly source: string
  readonly path: string
  readonly seconds: number
  readonly signal: AbortSignal
}

export interface SqliteCopy {
  readonly exam: SqliteExam
  readonly takenAt: Date
  /** A hot journal of a crashed writer was rolled back on the way. */
  readonly recovered: boolean
}

/**
 * Copies the live database to `copy` (mode 0600, in a private folder) in a child process and examines the copy there.
 * SOURCE_BUSY where no read lock was to be had within `seconds`, SNAPSHOT_FAILED where the copying took longer, since
 * it holds up writers of a rollback-journal database. SOURCE_NOT_SQLITE, SOURCE_UNREADABLE, SOURCE_CORRUPT as named.
 */
export async function copyDatabase(
  question: SqliteQuestion,
  copy: string,
  now: () => Date,
): Promise<SqliteCopy> {
  const { source, path, seconds, signal } = question
  const clock = new AbortController()
  const timer = setTimeout(() => clock.abort(), seconds * 1000)
  let takenAt: Date | undefined
  try {
    const request = { work: 'snapshot', path, copy, busyMs: Math.ceil(seconds * 1000) + 60_000 } as const
    for await (const report of ask(request, AbortSignal.any([signal, clock.signal]), dirname(copy))) {
      if (report.state === 'reading') takenAt = now()
      if (report.state === 'copied') clearTimeout(timer)
      if (report.state === 'failed') throw failure(question, report)
      if (report.state === 'done') {
        return { exam: report.exam, takenAt: takenAt ?? now(), recovered: report.recovered }
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!clock.signal.aborted) throw error
    if (takenAt === undefined) throw new SealiftError('SOURCE_BUSY', { source, path, seconds })
    const reason = `copying ${path} took longer than ${seconds} s; raise \`timeout\` of this source`
    throw new SealiftError('SNAPSHOT_FAILED', { source, reason })
  } finally {
    clearTimeout(timer)
  }
  throw new SealiftError('SNAPSHOT_FAILED', { source, reason: 'the child process ended without a report' })
}

/** Examines a database file that nobody has open, in a child process because it takes long. Errors as above. */
export async function examineDatabase(question: Omit<SqliteQuestion, 'seconds'>): Promise<SqliteExam> {
  const request = { work: 'examine', path: question.path } as const
  for await (const report of ask(request, question.signal, dirname(question.path))) {
    if (report.state === 'failed') throw failure({ ...question, seconds: 0 }, report)
    if (report.state === 'done') return report.exam
  }
  const reason = 'the child process ended without a report'
  throw new SealiftError('SNAPSHOT_FAILED', { source: question.source, reason })
}

async function* ask(
  request: SqliteRequest,
  signal: AbortSignal,
  temporary: string,
): AsyncGenerator<SqliteReport> {
  const program = join(import.meta.dirname, `sqlite-child${extname(import.meta.filename)}`)
  const output = stream(process.execPath, [program, JSON.stringify(request)], {
    signal,
    // Where SQLite puts a file of its own, should it ever need one, it holds plaintext.
    env: { SQLITE_TMPDIR: temporary },
    lifeline: true,
    refuseEmpty: true,
  })
  output.setEncoding('utf8')
  let text = ''
  let last: SqliteReport | undefined
  try {
    for await (const chunk of output as AsyncIterable<string>) {
      const lines = (text + chunk).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const report = JSON.parse(line) as SqliteReport
        // The last word counts only when the process has ended well.
        if (report.state === 'done' || report.state === 'failed') last = report
        else yield report
      }
    }
    if (last !== undefined) yield last
  } finally {
    await gone(output)
  }
}

async function gone(output: ReturnType<typeof stream>): Promise<void> {
  if (output.closed) return
  const closed = new Promise<void>((resolve) => output.once('close', resolve))
  output.destroy()
  await closed
}

function failure(question: SqliteQuestion, report: SqliteReport & { state: 'failed' }): SealiftError {
  const { source, path, seconds } = question
  const { reason } = report
  const codes = {
    'not-sqlite': 'SOURCE_NOT_SQLITE',
    corrupt: 'SOURCE_CORRUPT',
    'cannot-open': 'SOURCE_UNREADABLE',
  } as const
  if (report.failure === 'busy') return new SealiftError('SOURCE_BUSY', { source, path, seconds })
  if (report.failure === 'full') {
    return new SealiftError('SNAPSHOT_FAILED', { source, reason: `no space is left for the copy of ${path}` })
  }
  if (report.failure === 'other') {
    return new SealiftError('SNAPSHOT_FAILED', { source, reason: `${path}: ${reason}` })
  }
  return new SealiftError(codes[report.failure], { source, path, reason })
}
