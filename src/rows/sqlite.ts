import { DatabaseSync } from 'node:sqlite'
import type { SQLOutputValue } from 'node:sqlite'
import { BATCH } from './row-text.ts'
import { readCatalog } from './sqlite-catalog.ts'
import { cellOf } from './sqlite-cells.ts'
import { answersOf, countersOf, decoderOf, sqliteFailure } from './sqlite-session.ts'
import { SqliteTransaction } from './sqlite-transaction.ts'
import { quoted } from './sql-names.ts'
import type { Row, RowSnapshot, RowStore } from './store.ts'

export interface SqliteStoreOptions {
  /** Absolute. */
  readonly path: string
  /** How long to wait for another process's lock, in milliseconds; 10 s unless given. */
  readonly timeoutMs?: number | undefined
}

/**
 * The rows of a SQLite database. The process must have the file open nowhere else: closing it here would let go of the
 * other one's locks. Every call works without yielding for a batch at most.
 */
export function sqliteStore({ path, timeoutMs = 10_000 }: SqliteStoreOptions): RowStore {
  return {
    kind: 'sqlite',
    snapshot: async (signal) => openSnapshot(open(path, timeoutMs, true), path, signal),
    transaction: async (signal) => {
      const db = open(path, timeoutMs, false)
      try {
        return new SqliteTransaction(db, path, signal)
      } catch (error) {
        db.close()
        throw error
      }
    },
  }
}

function open(path: string, timeout: number, readOnly: boolean): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { readOnly, timeout, enableForeignKeyConstraints: true })
    // A schema is data too: functions named in it must not run with our rights.
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY')
    return db
  } catch (error) {
    db?.close()
    throw sqliteFailure(path, 'opening', error)
  }
}

function openSnapshot(db: DatabaseSync, path: string, signal: AbortSignal): RowSnapshot {
  try {
    signal.throwIfAborted()
    // The moment is that of the first read.
    db.exec('BEGIN')
    const catalog = readCatalog(db)
    const decode = decoderOf(db)
    return {
      catalog,
      rows: (table, columns) => readRows(db, table, columns, decode, signal),
      sequences: async () => countersOf(db),
      query: async (sql, values = []) => answersOf(db, sql, values),
      [Symbol.asyncDispose]: async () => db.close(),
    }
  } catch (error) {
    db.close()
    throw sqliteFailure(path, 'reading', error)
  }
}

async function* readRows(
  db: DatabaseSync,
  table: string,
  columns: readonly string[],
  decode: TextDecoder,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[], void, undefined> {
  // The bytes of a text: SQLite promises nothing of what is in them.
  const wanted = columns.flatMap((name) => {
    const column = quoted(name)
    return [
      `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ELSE ${column} END`,
      `typeof(${column})`,
    ]
  })
  const statement = db.prepare(`SELECT ${['1', ...wanted].join(', ')} FROM main.${quoted(table)}`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  let batch: Row[] = []
  for (const found of statement.iterate() as Iterable<unknown> as Iterable<SQLOutputValue[]>) {
    batch.push(columns.map((_, at) => cellOf(found[1 + 2 * at], found[2 + 2 * at], decode)))
    if (batch.length < BATCH) continue
    signal.throwIfAborted()
    yield batch
    batch = []
  }
  signal.throwIfAborted()
  if (batch.length > 0) yield batch
}
