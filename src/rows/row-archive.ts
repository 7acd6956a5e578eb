import type { SecretColumn, SequenceState, SkippedSecret } from './model.ts'
import type { Row } from './store.ts'

/** The rows of one table as they come by; to be taken before the next table is asked for. */
export interface TableRows {
  readonly name: string
  readonly columns: readonly string[]
  readonly rows: AsyncIterable<readonly Row[]>
}

/** What an archive of rows says of itself, known before its first row is used. */
export interface RowSummary {
  /** `columns` is empty where a format says nothing of a table without rows. */
  readonly tables: ReadonlyMap<string, { readonly rows: number; readonly columns: readonly string[] }>
  /** Columns whose cells are the plain secrets. */
  readonly secretColumns: readonly SecretColumn[]
  /** Secrets that the writer could not open: their cells are null. */
  readonly skippedSecrets: readonly SkippedSecret[]
  /** By `table.column`. */
  readonly sequences: ReadonlyMap<string, SequenceState>
  /** The check value of the keyring that the secrets were under. */
  readonly keyCheck?: string
}

/** An archive of rows of whatever format: authenticated, and read as often as it takes. */
export interface RowArchive {
  readonly summary: RowSummary
  tables(): AsyncIterable<TableRows>
}
