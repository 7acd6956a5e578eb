import { readCatalog, type PostgresCatalog } from './postgres-catalog.ts'
import { rowsOfCopy } from './postgres-cells.ts'
import type { PostgresAddress } from './postgres-driver.ts'
import { PostgresSession } from './postgres-session.ts'
import { kindsOf, sequenceStates, tableSql } from './postgres-tables.ts'
import { PostgresTransaction } from './postgres-transaction.ts'
import { quoted } from './sql-names.ts'
import type { RowSnapshot, RowStore } from './store.ts'

export interface PostgresStoreOptions {
  readonly address: PostgresAddress
  /** The application's own; tables of the first are called by their bare name. `public` unless given. */
  readonly schemas?: readonly string[] | undefined
  /** How long to wait for other sessions' locks, in milliseconds; 10 s unless given. */
  readonly lockTimeoutMs?: number | undefined
}

/**
 * The rows of a PostgreSQL database. The role owns the tables and need not be a superuser: triggers and foreign keys are
 * put off by `ALTER TABLE`, which is undone with the transaction, and never by `session_replication_role`.
 */
export function postgresStore(options: PostgresStoreOptions): RowStore {
  const { address, schemas = ['public'], lockTimeoutMs = 10_000 } = options
  return {
    kind: 'postgres',
    async snapshot(signal) {
      const session = await PostgresSession.open(address, signal)
      try {
        return snapshotOf(session, await beginSnapshot(session, schemas, lockTimeoutMs))
      } catch (error) {
        await session[Symbol.asyncDispose]()
        throw error
      }
    },
    async transaction(signal) {
      const session = await PostgresSession.open(address, signal)
      try {
        await session.command('BEGIN')
        await session.command(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
        return new PostgresTransaction(session, await readCatalog(session, schemas))
      } catch (error) {
        await session[Symbol.asyncDispose]()
        throw error
      }
    },
  }
}

/** The locks come before the moment: nobody can drop or rewrite a table that the snapshot still sees. */
async function beginSnapshot(
  session: PostgresSession,
  schemas: readonly string[],
  lockTimeoutMs: number,
): Promise<PostgresCatalog> {
  const before = await readCatalog(session, schemas)
  await session.command('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  await session.command(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
  const names = Array.from(before.sql.values(), ({ name }) => name)
  if (names.length > 0) await session.command(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`)
  return readCatalog(session, schemas)
}

function snapshotOf(session: PostgresSession, catalog: PostgresCatalog): RowSnapshot {
  return {
    catalog,
    rows(table, columns) {
      const names = columns.map(quoted).join(', ')
      const { name, partitioned } = tableSql(catalog, table)
      // COPY of a table reads it without those that inherit from it; a partitioned one it does not read at all.
      const from =
        partitioned || columns.length === 0 ? `(SELECT ${names} FROM ${name})` : `${name} (${names})`
      return rowsOfCopy(session.copyOut(`COPY ${from} TO STDOUT`), kindsOf(catalog, table, columns))
    },
    sequences: async () => sequenceStates(session, catalog),
    query: async (sql, values = []) => session.query(sql, values),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
