import type { Facts } from '../manifest.ts'

/** What the child process is asked for: one JSON text, its only argument. */
export type SqliteRequest =
  /** Copy the live database at `path` to `copy`, then examine the copy. */
  | { readonly work: 'snapshot'; readonly path: string; readonly copy: string; readonly busyMs: number }
  /** Examine a database file that nobody has open. */
  | { readonly work: 'examine'; readonly path: string }

/** A state of the child process: one JSON line each on its standard output, the last one `done` or `failed`. */
export type SqliteReport =
  /** The live database is open under one read transaction; the copy begins. */
  | { readonly state: 'reading' }
  /** The copy is complete and the live database closed. */
  | { readonly state: 'copied' }
  | { readonly state: 'done'; readonly exam: SqliteExam; readonly recovered: boolean }
  | { readonly state: 'failed'; readonly failure: SqliteFailure; readonly reason: string }

export type SqliteFailure = 'busy' | 'not-sqlite' | 'cannot-open' | 'corrupt' | 'full' | 'other'

/** What an examination of a database file found. */
export interface SqliteExam {
  /** Findings of `integrity_check`, at most ten; empty for a sound database. */
  readonly problems: readonly string[]
  /** Why `integrity_check` could not run, for example a collation that only the application defines. */
  readonly unchecked?: string
  readonly facts: Facts
  /** Row counts of every table, by name. */
  readonly rows: Readonly<Record<string, number>>
  /** Tables that could not be counted (a virtual table whose module is not here), with the reason. */
  readonly uncounted: Readonly<Record<string, string>>
  /** The version of SQLite that looked. */
  readonly version: string
}
