import { NotJson } from './cells.ts'
import type { PostgresCatalog } from './postgres-catalog.ts'
import { textOfColumn } from './postgres-cells.ts'
import type { PostgresSession } from './postgres-session.ts'
import { SealiftError } from '../errors.ts'
import { keyText } from './row-text.ts'
import { quoted } from './sql-names.ts'
import type { Conflict, Merged, Row } from './store.ts'

/** What rows of this transaction carry. It has no savepoints: each would have a number of its own. */
const OWN = 'pg_current_xact_id()::xid'

type Texts = readonly (string | null)[]

/** Rows that go in only if their key is new, a batch with one statement. */
export class Merge {
  readonly #session: PostgresSession
  readonly #catalog: PostgresCatalog
  /** Keys of the tables that got rows. */
  readonly #keys = new Map<string, readonly string[]>()

  constructor(session: PostgresSession, catalog: PostgresCatalog) {
    this.#session = session
    this.#catalog = catalog
  }

  /** Throws the server's own error for a row that does not fit. */
  async rows(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: AsyncIterable<readonly Row[]>,
  ): Promise<Merged> {
    this.#keys.set(table, key)
    let [imported, skipped, before] = [0, 0, 0]
    const conflicts: Conflict[] = []
    for await (const batch of rows) {
      const texts = batch.map((row, at) => this.#texts(table, columns, row, before + at + 1))
      before += batch.length
      const keys = await this.#keysOf(table, columns, key, texts)
      const fresh = texts.flatMap((row, at) => {
        const found = keys[at]
        return found === undefined || found.known ? [] : [{ row, key: found.key }]
      })
      skipped += texts.length - fresh.length
      const added = await this.#add(
        table,
        columns,
        key,
        fresh.map(({ row }) => row),
      )
      for (const one of fresh) {
        const left = added.get(one.key) ?? 0
        added.set(one.key, left - 1)
        if (left > 0) imported++
        else conflicts.push(await this.#conflict(table, columns, key, one.row))
      }
    }
    return { imported, skipped, conflicts }
  }

  /**
   * Rows that this transaction added and that refer to nothing. All are found before one goes, so that no cascade takes
   * a row that is not reported.
   */
  async dropDangling(): Promise<Conflict[]> {
    const conflicts: Conflict[] = []
    const doomed = new Map<string, string[]>()
    for (let before = -1; before < conflicts.length;) {
      before = conflicts.length
      for (const [table, key] of this.#keys) {
        for (const { name, owner, columns, table: parent, targetColumns } of this.#catalog.foreignKeys) {
          if (owner !== table) continue
          const match = columns.map(
            (column, at) => `p.${quoted(targetColumns[at] ?? '')} = t.${quoted(column)}`,
          )
          const set = columns.map((column) => `t.${quoted(column)} IS NOT NULL`)
          const found = await this.#session.query(
            `SELECT t.ctid::text AS at, json_build_array(${texts('t', key)})::text AS key FROM ${this.#sql(table)} t
             WHERE t.xmin = ${OWN} AND t.ctid <> ALL ($1::tid[]) AND ${set.join(' AND ')} AND NOT EXISTS (
               SELECT 1 FROM ${this.#sql(parent)} p WHERE ${match.join(' AND ')} AND p.ctid <> ALL ($2::tid[]))`,
            [doomed.get(table) ?? [], doomed.get(parent) ?? []],
          )
          for (const row of found) {
            doomed.set(table, [...(doomed.get(table) ?? []), String(row['at'])])
            conflicts.push({ table, row: keyOf(row['key']), reason: 'reference', existing: name })
          }
        }
      }
    }
    for (const [table, rows] of doomed)
      await this.#session.command(`DELETE FROM ${this.#sql(table)} WHERE ctid = ANY ($1::tid[])`, [rows])
    return conflicts
  }

  /** The key of each row as the database writes it, and whether it was there before this transaction. */
  async #keysOf(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: readonly Texts[],
  ): Promise<{ readonly key: string; readonly known: boolean }[]> {
    const casts = key.map((column) => this.#cast(table, columns, column))
    const same = key.map((column, at) => `t.${quoted(column)} IS NOT DISTINCT FROM ${casts[at] ?? 'NULL'}`)
    const { rows: found } = await this.#session.raw(
      `SELECT json_build_array(${casts.map((cast) => `(${cast})::text`).join(', ')})::text AS key,
         EXISTS (SELECT 1 FROM ${this.#sql(table)} t WHERE ${same.join(' AND ')} AND t.xmin <> ${OWN})::text AS known
       FROM ${unnested(columns)} ORDER BY v.row_number`,
      byColumn(columns, rows),
    )
    return found.map((row) => ({ key: row['key'] ?? '', known: row['known'] === 'true' }))
  }

  /** How many rows of each key went in: an equal value that must be unique keeps one out. */
  async #add(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    rows: readonly Texts[],
  ): Promise<Map<string, number>> {
    const added = new Map<string, number>()
    if (rows.length === 0) return added
    const names = columns.map(quoted).join(', ')
    const values = columns.map((column) => this.#cast(table, columns, column)).join(', ')
    const { rows: found } = await this.#session.raw(
      `INSERT INTO ${this.#sql(table)} AS t (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM ${unnested(columns)}
       ORDER BY v.row_number ON CONFLICT DO NOTHING RETURNING json_build_array(${texts('t', key)})::text AS key`,
      byColumn(columns, rows),
    )
    for (const { key } of found) added.set(key ?? '', (added.get(key ?? '') ?? 0) + 1)
    return added
  }

  async #conflict(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    row: Texts,
  ): Promise<Conflict> {
    const own = keyText(key.map((column) => JSON.stringify(row[columns.indexOf(column)] ?? null)))
    const live = this.#catalog.tables.get(table)
    for (const names of [live?.primaryKey ?? [], ...(live?.uniqueKeys ?? [])]) {
      if (names.length === 0) continue
      const same = names.map((name) => `t.${quoted(name)} = ${this.#cast(table, columns, name)}`)
      const { rows } = await this.#session.raw(
        `SELECT json_build_array(${texts('t', key)})::text AS key FROM ${this.#sql(table)} t, ${unnested(columns)} WHERE ${same.join(' AND ')}`,
        byColumn(columns, [row]),
      )
      const existing = rows[0]?.['key']
      if (typeof existing === 'string')
        return { table, row: own, reason: 'unique', existing: keyOf(existing) }
    }
    return { table, row: own, reason: 'unique' }
  }

  #texts(table: string, columns: readonly string[], row: Row, number: number): Texts {
    return columns.map((column, at) => {
      try {
        return textOfColumn(row[at] ?? 'null', this.#catalog.kinds.get(`${table}.${column}`) ?? 'text')
      } catch (error) {
        if (!(error instanceof NotJson)) throw error
        throw new SealiftError('ROWS_REFUSED', { table, row: number, column, reason: error.message })
      }
    })
  }

  /** A value of `v` brought from text to its column's type. */
  #cast(table: string, columns: readonly string[], column: string): string {
    const type = this.#catalog.tables.get(table)?.columns.find(({ name }) => name === column)?.type
    return `v.c${columns.indexOf(column)}::${type ?? 'text'}`
  }

  #sql(table: string): string {
    return this.#catalog.sql.get(table)?.name ?? quoted(table)
  }
}

const keyOf = (json: string | null | undefined): string =>
  keyText((JSON.parse(json ?? '[]') as unknown[]).map((value) => JSON.stringify(value)))

const texts = (alias: string, columns: readonly string[]): string =>
  columns.map((column) => `${alias}.${quoted(column)}::text`).join(', ')

/** The rows of a batch as a table `v` with columns c0, c1, … of text, from one array for each column. */
function unnested(columns: readonly string[]): string {
  const arrays = columns.map((_, at) => `$${at + 1}::text[]`)
  const names = columns.map((_, at) => `c${at}`)
  return `unnest(${arrays.join(', ')}) WITH ORDINALITY AS v(${[...names, 'row_number'].join(', ')})`
}

const byColumn = (columns: readonly string[], rows: readonly Texts[]): (string | null)[][] =>
  columns.map((_, at) => rows.map((row) => row[at] ?? null))
