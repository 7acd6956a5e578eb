import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { reasonOf, SealiftError } from '../errors.ts'
import { NotJson } from './cells.ts'
import type { SequenceState } from './model.ts'
import { keyText } from './row-text.ts'
import { readCatalog } from './sqlite-catalog.ts'
import { valueOf } from './sqlite-cells.ts'
import { dropDangling, Newcomers } from './sqlite-merge.ts'
import { answersOf, sqliteFailure } from './sqlite-session.ts'
import { quoted } from './sql-names.ts'
import type { Answer, Conflict, LiveCatalog, Merged, Row, RowTransaction } from './store.ts'

/** SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY and _ROWID. */
const UNIQUE = new Set([2067, 1555, 2579])

/** The one transaction of an import into SQLite. Triggers cannot be disabled there: they are dropped and made again. */
export class SqliteTransaction implements RowTransaction {
  readonly catalog: LiveCatalog
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #signal: AbortSignal
  readonly #triggers: string[] = []
  readonly #newcomers: Newcomers
  #tables: readonly string[] = []

  /** Takes the connection over. Nobody else writes from here on. */
  constructor(db: DatabaseSync, path: string, signal: AbortSignal) {
    this.#db = db
    this.#path = path
    this.#signal = signal
    this.#newcomers = new Newcomers(db)
    this.#run('beginning', () => {
      signal.throwIfAborted()
      db.exec('BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON')
    })
    this.catalog = readCatalog(db)
  }

  async query(sql: string, values: readonly (string | null)[] = []): Promise<readonly Answer[]> {
    return this.#run('a query', () => answersOf(this.#db, sql, values))
  }

  async begin(tables: readonly string[]): Promise<void> {
    this.#tables = tables
    this.#run('silencing triggers', () => {
      const found = this.#db
        .prepare("SELECT name, tbl_name AS tbl, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
        .all()
      for (const { name, tbl, sql } of found) {
        if (!tables.includes(String(tbl))) continue
        this.#triggers.push(String(sql))
        this.#db.exec(`DROP TRIGGER ${quoted(String(name))}`)
      }
    })
  }

  async clear(tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#run('removing rows', () => {
      const counts = new Map<string, number>()
      // Counted first: a cascade would take rows of the next table before they are seen.
      for (const table of tables) {
        const found = this.#db.prepare(`SELECT count(*) AS n FROM main.${quoted(table)}`).get()
        counts.set(table, Number(found?.['n']))
      }
      for (const table of tables) this.#db.exec(`DELETE FROM main.${quoted(table)}`)
      return counts
    })
  }

  async insert(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<number> {
    let count = 0
    for await (const batch of rows) {
      this.#signal.throwIfAborted()
      for (const row of batch) this.#insertRow(table, columns, row, ++count)
    }
    return count
  }

  async merge(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<Merged> {
    const at = key.map((column) => columns.indexOf(column))
    const same = key.map((column) => `${quoted(column)} IS ?`).join(' AND ')
    const known = this.#db.prepare(`SELECT 1 FROM main.${quoted(table)} WHERE ${same}`)
    const conflicts: Conflict[] = []
    let [count, imported, skipped] = [0, 0, 0]
    for await (const batch of rows) {
      this.#signal.throwIfAborted()
      for (const row of batch) {
        count++
        const cells = at.map((index) => row[index] ?? 'null')
        if (known.get(...cells.map((cell) => valueOf(cell).value)) !== undefined) skipped++
        else {
          const existing = this.#inTheWay(table, columns, row, key)
          if (existing === undefined && this.#insertRow(table, columns, row, count, true)) {
            this.#newcomers.add(table, key, cells)
            imported++
          } else
            conflicts.push({
              table,
              row: keyText(cells),
              reason: 'unique',
              ...(existing === undefined ? {} : { existing }),
            })
        }
      }
    }
    return { imported, skipped, conflicts }
  }

  async dropDangling(): Promise<readonly Conflict[]> {
    return this.#run('checking references', () => dropDangling(this.#db, this.catalog, this.#newcomers))
  }

  async raise(sequences: ReadonlyMap<string, SequenceState>): Promise<void> {
    this.#run('raising counters', () => {
      for (const [name, { lastValue }] of sequences) {
        const dot = name.lastIndexOf('.')
        const [table, column] = [name.slice(0, dot), name.slice(dot + 1)]
        if (!this.#tables.includes(table)) continue
        const raised = `SELECT max(CAST(? AS INTEGER), coalesce(max(${quoted(column)}), 0)) AS n FROM main.${quoted(table)}`
        const read = this.#db.prepare(raised)
        read.setReadBigInts(true)
        const highest = read.get(lastValue)?.['n'] ?? 0
        const raise = this.#statement('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?')
        if (Number(raise.run(highest, table).changes) > 0) continue
        this.#statement('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, highest)
      }
    })
  }

  async settle(): Promise<void> {
    this.#run('checking foreign keys', () => {
      for (const table of this.#tables) {
        const [broken] = this.#db.prepare('SELECT parent FROM pragma_foreign_key_check(?)').all(table)
        if (broken === undefined) continue
        const reason = `a row of it refers to one of ${String(broken['parent'])} that is not there`
        throw new SealiftError('ROWS_REFUSED', { table, reason })
      }
      for (const sql of this.#triggers.splice(0)) this.#db.exec(sql)
    })
  }

  async commit(): Promise<void> {
    this.#run('committing', () => {
      this.#signal.throwIfAborted()
      if (this.#triggers.length > 0) throw new SealiftError('BUG', { reason: 'a commit before settle' })
      this.#db.exec('COMMIT')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Closing undoes what was not committed.
    this.#db.close()
  }

  /** Whether the row went in; `false` only if `lenient` and it is not unique. */
  #insertRow(table: string, columns: readonly string[], row: Row, number: number, lenient = false): boolean {
    try {
      const values = columns.map((_, at) => valueOf(row[at] ?? 'null'))
      const places = values.map(({ asText }) => (asText === true ? 'CAST(? AS TEXT)' : '?')).join(', ')
      this.#statement(
        `INSERT INTO main.${quoted(table)} (${columns.map(quoted).join(', ')}) VALUES (${places})`,
      ).run(...values.map(({ value }) => value))
      return true
    } catch (error) {
      const code =
        typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0
      if (lenient && UNIQUE.has(code)) return false
      if (error instanceof NotJson || (code & 0xff) === 19)
        throw new SealiftError('ROWS_REFUSED', { table, row: number, reason: reasonOf(error) }, error)
      throw sqliteFailure(this.#path, `adding to ${table}`, error)
    }
  }

  /** The key of a row that has the same values where they must be unique. */
  #inTheWay(table: string, columns: readonly string[], row: Row, key: readonly string[]): string | undefined {
    const live = this.catalog.tables.get(table)
    for (const names of [live?.primaryKey ?? [], ...(live?.uniqueKeys ?? [])]) {
      const cells = names.map((name) => row[columns.indexOf(name)] ?? 'null')
      if (names.length === 0 || cells.includes('null')) continue
      const found = this.#statement(
        `SELECT ${key.map((name) => `CAST(${quoted(name)} AS TEXT)`).join(', ')} FROM main.${quoted(table)} WHERE ${names.map((name) => `${quoted(name)} = ?`).join(' AND ')}`,
      ).get(...cells.map((cell) => valueOf(cell).value))
      if (found !== undefined) return keyText(Object.values(found).map((value) => JSON.stringify(value)))
    }
    return undefined
  }

  readonly #prepared = new Map<string, StatementSync>()

  /** Prepared once for all rows that need the same. */
  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    if (this.#prepared.size > 100) this.#prepared.clear()
    const statement = this.#db.prepare(sql)
    // Also for what `run` answers: the row id of the last insert may be beyond 2^53.
    statement.setReadBigInts(true)
    this.#prepared.set(sql, statement)
    return statement
  }

  #run<T>(operation: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw sqliteFailure(this.#path, operation, error)
    }
  }
}
