import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isSealiftError } from '../errors.ts'
import type { Source, SourceContext, SourceDriver } from './source.ts'
import { differences, findings } from './sqlite-compare.ts'
import { copyDatabase, examineDatabase } from './sqlite-process.ts'
import type { SqliteQuestion } from './sqlite-process.ts'
import type { SqliteExam } from './sqlite-report.ts'
import { logSize, realPath, sidecarsOf } from './sqlite-sidecars.ts'
import { snapshotDatabase, statDatabase } from './sqlite-snapshot.ts'

/** What stands in sealift.yaml beside `name` and `kind: sqlite`. */
export const sqliteOptions = z.strictObject({
  path: z.string().min(1).describe('The database file'),
  timeout: z
    .number()
    .positive()
    .max(86_400)
    .default(120)
    .describe('Seconds to wait for a lock and to copy, at most'),
})
export interface SqliteOptions {
  /** Absolute. A symlink is followed; the database then restores to this path, not to where the link led. */
  readonly path: string
  /** Seconds for the lock and the copy together; 120 unless given. */
  readonly timeout?: number | undefined
}

/**
 * A live SQLite database, in any journal mode, copied by SQLite's online backup while the application runs. The one
 * member is named as the file. A file of 0 bytes is an empty database, as SQLite itself has it, with the warning
 * `sqlite-empty`.
 */
export const sqlite: SourceDriver<SqliteOptions> = {
  kind: 'sqlite',
  open: (name, options) => openDatabase(name, options.path, options.timeout ?? 120),
  async checkRestored(path, recorded, signal) {
    try {
      return findings(recorded, await examineDatabase({ source: recorded.name, path, signal }))
    } catch (error) {
      const damaged = isSealiftError(error, 'SOURCE_NOT_SQLITE') || isSealiftError(error, 'SOURCE_CORRUPT')
      if (!damaged) throw error
      return [{ check: 'integrity', verdict: 'fail', detail: error.message }]
    }
  },
  async copy(path, copy, { signal, now }) {
    await statDatabase(path, path)
    await copyDatabase({ source: path, path, seconds: 120, signal }, copy, now)
  },
  staleSidecars: (place) => sidecarsOf(place.path),
}

function openDatabase(name: string, path: string, timeout: number): Source {
  return {
    name,
    kind: 'sqlite',
    place: { path, type: 'file' },
    claims() {
      const real = realPath(path)
      return [...new Set([path, ...sidecarsOf(path), real, ...sidecarsOf(real)])]
    },
    async estimate(signal) {
      signal.throwIfAborted()
      const { size } = await statDatabase(name, path)
      return size + (await logSize(path))
    },
    snapshot: (context) => snapshotDatabase({ name, path, timeout }, context),
    async spotCheck(sample, recorded, context) {
      try {
        await statDatabase(name, path)
      } catch (error) {
        if (!isSealiftError(error, 'SOURCE_NOT_FOUND')) throw error
        return sample.map((entry) => ({ path: entry.path, state: 'missing', detail: error.message }))
      }
      const question = { source: name, path, seconds: timeout, signal: context.signal }
      const exam = await examineLive(question, context)
      const changes = [...exam.problems, ...differences(recorded, exam)]
      return sample.map((entry) =>
        changes.length === 0
          ? { path: entry.path, state: 'same' }
          : { path: entry.path, state: 'changed', detail: changes.join('; ') },
      )
    },
  }
}

/** Examines what is live by way of a copy, which is gone afterwards. */
async function examineLive(question: SqliteQuestion, context: SourceContext): Promise<SqliteExam> {
  const copy = join(context.scratch, `${question.source}.sqlite-check`)
  try {
    return (await copyDatabase(question, copy, context.now)).exam
  } finally {
    await rm(copy, { force: true })
  }
}
