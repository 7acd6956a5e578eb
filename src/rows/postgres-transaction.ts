import { SealiftError } from '../errors.ts'
import { NotJson, parsed, type Cell } from './cells.ts'
import type { SequenceState } from './model.ts'
import type { CellKind, PostgresCatalog } from './postgres-catalog.ts'
import { copyLine } from './postgres-cells.ts'
import { FromServer, refusalOf } from './postgres-failure.ts'
import { Merge } from './postgres-merge.ts'
import type { PostgresSession } from './postgres-session.ts'
import { deferral, type Deferral } from './postgres-deferral.ts'
import { kindsOf, sequenceStates, tableSql } from './postgres-tables.ts'
import { quoted } from './sql-names.ts'
import type { Answer, Conflict, Merged, Row, RowTransaction } from './store.ts'

/** The one transaction of an import into PostgreSQL. */
export class PostgresTransaction implements RowTransaction {
  readonly catalog: PostgresCatalog
  readonly #session: PostgresSession
  readonly #merge: Merge
  #tables: readonly string[] = []
  #deferral: Deferral | undefined

  /** Takes the session over, in a transaction that has begun. */
  constructor(session: PostgresSession, catalog: PostgresCatalog) {
    this.#session = session
    this.catalog = catalog
    this.#merge = new Merge(session, catalog)
  }

  async query(sql: string, values: readonly (string | null)[] = []): Promise<readonly Answer[]> {
    return this.#session.query(sql, values)
  }

  async begin(tables: readonly string[]): Promise<void> {
    const foreign = tables.filter((table) => this.catalog.tables.get(table)?.owned !== true)
    if (foreign.length > 0) {
      const reason = `the role does not own ${foreign.join(', ')}`
      throw new SealiftError('ROWS_MODEL_REFUSED', { reason })
    }
    this.#tables = tables
    if (tables.length > 0) {
      const names = tables.map((table) => tableSql(this.catalog, table).name)
      await this.#session.command(`LOCK TABLE ${names.join(', ')} IN EXCLUSIVE MODE`)
    }
    this.#deferral = await deferral(this.#session, this.catalog, tables)
  }

  async clear(tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    for (const table of tables) {
      const [row] = await this.#session.query(
        `SELECT count(*) AS n FROM ${tableSql(this.catalog, table).name}`,
      )
      counts.set(table, Number(row?.['n']))
    }
    // Not TRUNCATE: a snapshot that began before would see no rows at all.
    for (const table of tables)
      await this.#session.command(`DELETE FROM ${tableSql(this.catalog, table).name}`)
    return counts
  }

  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<number> {
    const kinds = kindsOf(this.catalog, table, columns)
    let count = 0
    async function* lines(): AsyncGenerator<string, void, undefined> {
      for await (const batch of rows) {
        let text = ''
        for (const row of batch) {
          count++
          text += lineOf(row, kinds, { table, columns, number: count })
        }
        if (text !== '') yield text
      }
    }
    const names = columns.map(quoted).join(', ')
    await this.#refusing(table, () =>
      this.#session.copyIn(`COPY ${tableSql(this.catalog, table).name} (${names}) FROM STDIN`, lines()),
    )
    return count
  }

  async merge(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<Merged> {
    return this.#refusing(table, () => this.#merge.rows(table, columns, key, rows))
  }

  async dropDangling(): Promise<readonly Conflict[]> {
    return this.#merge.dropDangling()
  }

  /** By ALTER SEQUENCE, which goes back with the transaction; setval does not. */
  async raise(sequences: ReadonlyMap<string, SequenceState>): Promise<void> {
    const live = await sequenceStates(this.#session, this.catalog)
    for (const { table, column, sql, increment, least, most } of this.catalog.sequences) {
      if (!this.#tables.includes(table)) continue
      const up = increment > 0n
      const [row] = await this.#session.query(
        `SELECT ${up ? 'max' : 'min'}(${quoted(column)}) AS far FROM ${tableSql(this.catalog, table).name}`,
      )
      const far = row?.['far'] ?? undefined
      const states = [sequences.get(`${table}.${column}`), live.get(`${table}.${column}`)]
      if (far !== undefined) states.push({ lastValue: far, isCalled: true })
      const nexts = states
        .filter((state) => state !== undefined)
        .map(({ lastValue, isCalled }) => BigInt(lastValue) + (isCalled ? increment : 0n))
      const next = nexts.reduce((one, other) => (one > other === up ? one : other))
      const within = next > most ? most : next < least ? least : next
      await this.#session.command(`ALTER SEQUENCE ${sql} RESTART WITH ${within}`)
    }
  }

  async settle(): Promise<void> {
    await this.#refusing('the database', () => this.#session.raw('SET CONSTRAINTS ALL IMMEDIATE'))
    await this.#deferral?.end()
    this.#deferral = undefined
  }

  async commit(): Promise<void> {
    if (this.#deferral !== undefined) throw new SealiftError('BUG', { reason: 'a commit before settle' })
    // A transaction that had failed answers COMMIT with ROLLBACK, and without an error.
    const { command } = await this.#session.command('COMMIT')
    if (command !== 'COMMIT')
      throw new SealiftError('DATABASE_UNAVAILABLE', {
        database: this.#session.name,
        operation: 'committing',
        reason: `the server answered ${command}`,
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }

  async #refusing<T>(table: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof FromServer)) throw error
      throw refusalOf(table, error.cause) ?? this.#session.failure(`writing ${table}`, error.cause)
    }
  }
}

interface Place {
  readonly table: string
  readonly columns: readonly string[]
  readonly number: number
}

function lineOf(row: Row, kinds: readonly CellKind[], place: Place): string {
  try {
    return copyLine(row, kinds)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw refusedCell(row, kinds, place, error)
  }
}

/** Which column it was is found out only now. */
function refusedCell(
  row: Row,
  kinds: readonly CellKind[],
  { table, columns, number }: Place,
  error: NotJson,
): SealiftError {
  const at = row.findIndex((cell, index) => !isTaken(cell, kinds[index] ?? 'text'))
  const column = columns[at]
  return new SealiftError('ROWS_REFUSED', {
    table,
    row: number,
    ...(column === undefined ? {} : { column }),
    reason: error.message,
  })
}

function isTaken(cell: Cell, kind: CellKind): boolean {
  try {
    parsed(cell)
    copyLine([cell], [kind])
    return true
  } catch {
    return false
  }
}
