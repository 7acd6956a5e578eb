import type { Cell } from './cells.ts'
import type { SequenceState } from './model.ts'

/** The cells of one row, in the order of the columns that were asked for. */
export type Row = readonly Cell[]

/** What a database says of its own tables. Names are those of the model: of another schema than the first, `schema.table`. */
export interface LiveCatalog {
  readonly tables: ReadonlyMap<string, LiveTable>
}

export interface LiveTable {
  readonly name: string
  /** In the table's own order. */
  readonly columns: readonly LiveColumn[]
  /** The columns of the primary key, empty where there is none. */
  readonly primaryKey: readonly string[]
  /** The other sets of columns that are unique on all rows. */
  readonly uniqueKeys: readonly (readonly string[])[]
  readonly references: readonly LiveReference[]
  /** Whether the role that is connected may change the table itself. */
  readonly owned: boolean
}

export interface LiveColumn {
  readonly name: string
  /** As the database writes it: `numeric(38,10)`. */
  readonly type: string
  readonly nullable: boolean
  /** A value comes by itself: a default, a counter. */
  readonly hasDefault: boolean
  /** Computed from other columns: neither read nor written. */
  readonly generated: boolean
}

/** A foreign key. */
export interface LiveReference {
  readonly name: string
  readonly columns: readonly string[]
  readonly table: string
  readonly targetColumns: readonly string[]
}

/** Answers to SQL of the caller's own, as the text that the database has for each value. */
export type Answer = Readonly<Record<string, string | null>>

interface Connected extends AsyncDisposable {
  readonly catalog: LiveCatalog
  /** SQL that a profile brings, on this connection and in this transaction. */
  query(sql: string, values?: readonly (string | null)[]): Promise<readonly Answer[]>
}

/** The database at one moment. Disposing it ends the transaction that holds the moment. */
export interface RowSnapshot extends Connected {
  /** All rows, in batches. `columns` are never generated ones. One table at a time. */
  rows(table: string, columns: readonly string[]): AsyncGenerator<readonly Row[], void, undefined>
  /** Where every counter of a column stands, by `table.column`. */
  sequences(): Promise<ReadonlyMap<string, SequenceState>>
}

/** A row that a merge did not write. */
export interface Conflict {
  readonly table: string
  /** The row's key as text. */
  readonly row: string
  /** `unique`: another row has its values; `reference`: a row that it needs is not there. */
  readonly reason: 'unique' | 'reference'
  /** The key of the row that is in the way, or the name of the foreign key. */
  readonly existing?: string
}

export interface Merged {
  /** Rows that are now in the table. */
  readonly imported: number
  /** Rows whose key was there already: what was there stays as it is. */
  readonly skipped: number
  readonly conflicts: readonly Conflict[]
}

/**
 * One transaction. Until `commit` returned nothing of it can be seen; disposing without it undoes everything, counters
 * and definitions of triggers and foreign keys among it. The order: `begin`, any of `clear`, `insert`, `merge` and
 * `raise`, `settle`, `commit`.
 */
export interface RowTransaction extends Connected {
  /** Locks these tables against other writers, puts foreign keys off to `settle`, and silences triggers. */
  begin(tables: readonly string[]): Promise<void>
  /** Removes all rows of tables and says how many there were. `tables`: children before parents. */
  clear(tables: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Adds rows as they stand, with their own keys. ROWS_REFUSED names table, row and column where it can. */
  insert(table: string, columns: readonly string[], rows: AsyncIterable<readonly Row[]>): Promise<number>
  /** Adds the rows whose key is not there yet. */
  merge(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<Merged>
  /** Takes back merged rows that refer to a row which is not there, and those that refer to them. */
  dropDangling(): Promise<readonly Conflict[]>
  /** Puts counters to the larger of this state and the largest value in their column. */
  raise(sequences: ReadonlyMap<string, SequenceState>): Promise<void>
  /** Checks every foreign key, then puts foreign keys and triggers back as they were. ROWS_REFUSED. */
  settle(): Promise<void>
  commit(): Promise<void>
}

/** One database, as far as rows are concerned. test/suites/rows.ts is this contract as tests. */
export interface RowStore {
  readonly kind: string
  /** A consistent view of all tables. */
  snapshot(signal: AbortSignal): Promise<RowSnapshot>
  transaction(signal: AbortSignal): Promise<RowTransaction>
}
