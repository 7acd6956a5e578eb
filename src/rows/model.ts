/**
 * What an application's tables are to an export and an import. A profile declares it; the live catalogue completes it
 * (`plan.ts`).
 */
export interface RowModel {
  /** Tables whose rows move, in the order that decides where foreign keys leave a choice. */
  readonly persisted: readonly string[]
  /** State of a running deployment: never exported, emptied by an import that replaces. */
  readonly ephemeral: readonly string[]
  /** What belongs to the database itself (its migrations): neither exported nor touched. */
  readonly kept: readonly string[]
  readonly secrets: readonly SecretColumn[]
  /** Columns with this ending hold secrets: one that `secrets` does not name is refused. */
  readonly secretSuffix?: string
  /** What tells that two rows of a table are the same one, where that is not the primary key. */
  readonly keys?: Readonly<Record<string, readonly string[]>>
}

/** A column of wrapped secrets, and which of the application's keys they are under. */
export interface SecretColumn {
  readonly table: string
  readonly column: string
  readonly domain: string
}

/** A secret that did not open, or could not be wrapped again. `row` is the row's key as text. */
export interface SkippedSecret {
  readonly table: string
  readonly column: string
  readonly row: string
  /** A stable word, as `Unopened` of keyring.ts. */
  readonly reason: string
}

/** Where a column's counter stands: digits, since it may be beyond 2^53. */
export interface SequenceState {
  readonly lastValue: string
  /** Whether `lastValue` was given out already. */
  readonly isCalled: boolean
}
