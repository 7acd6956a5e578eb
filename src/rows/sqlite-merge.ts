import type { DatabaseSync } from 'node:sqlite'
import type { Cell } from './cells.ts'
import { keyText } from './row-text.ts'
import { valueOf } from './sqlite-cells.ts'
import { quoted } from './sql-names.ts'
import type { Conflict, LiveCatalog, LiveReference } from './store.ts'

interface Added {
  readonly name: string
  readonly key: readonly string[]
}

/** The keys of the rows that a merge added, in a table of this connection that nobody else sees. */
export class Newcomers {
  readonly #db: DatabaseSync
  readonly #tables = new Map<string, Added>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  add(table: string, key: readonly string[], cells: readonly Cell[]): void {
    let known = this.#tables.get(table)
    if (known === undefined) {
      known = { name: `temp.sealift_new_${this.#tables.size}`, key }
      this.#db.exec(
        `CREATE TEMP TABLE ${known.name.slice(5)} (${key.map((_, at) => `k${at}`).join(', ')}, gone)`,
      )
      this.#tables.set(table, known)
    }
    const places = cells.map(() => '?').join(', ')
    this.#db
      .prepare(`INSERT INTO ${known.name} VALUES (${places}, NULL)`)
      .run(...cells.map((cell) => valueOf(cell).value))
  }

  entries(): IterableIterator<[string, Added]> {
    return this.#tables.entries()
  }

  of(table: string): Added | undefined {
    return this.#tables.get(table)
  }
}

/**
 * Rows that the merge added and that refer to nothing. All are marked before one goes, so that no cascade takes a row
 * that is not reported.
 */
export function dropDangling(db: DatabaseSync, catalog: LiveCatalog, newcomers: Newcomers): Conflict[] {
  const conflicts: Conflict[] = []
  for (let before = -1; before < conflicts.length;) {
    before = conflicts.length
    for (const [table, added] of newcomers.entries())
      for (const reference of catalog.tables.get(table)?.references ?? [])
        conflicts.push(...markDangling(db, table, added, reference, newcomers.of(reference.table)))
  }
  for (const [table, added] of newcomers.entries())
    db.exec(
      `DELETE FROM main.${quoted(table)} AS t WHERE EXISTS (SELECT 1 FROM ${added.name} n WHERE n.gone AND ${sameKey(added, 't')})`,
    )
  return conflicts
}

function markDangling(
  db: DatabaseSync,
  table: string,
  added: Added,
  { columns, table: parent, targetColumns }: LiveReference,
  parents: Added | undefined,
): Conflict[] {
  const set = columns.map((column) => `t.${quoted(column)} IS NOT NULL`)
  const match = columns.map((column, at) => `p.${quoted(targetColumns[at] ?? 'rowid')} = t.${quoted(column)}`)
  const standing =
    parents === undefined
      ? ''
      : ` AND NOT EXISTS (SELECT 1 FROM ${parents.name} n WHERE n.gone AND ${sameKey(parents, 'p')})`
  const found = db
    .prepare(
      `UPDATE ${added.name} AS n SET gone = 1 FROM main.${quoted(table)} AS t WHERE gone IS NULL AND ${sameKey(added, 't')}
       AND ${set.join(' AND ')} AND NOT EXISTS (SELECT 1 FROM main.${quoted(parent)} p WHERE ${match.join(' AND ')}${standing})
       RETURNING ${added.key.map((_, at) => `CAST(k${at} AS TEXT)`).join(', ')}`,
    )
    .all()
  return found.map((row) => ({
    table,
    row: keyText(Object.values(row).map((value) => JSON.stringify(value))),
    reason: 'reference',
    existing: `${columns.join(', ')} → ${parent}`,
  }))
}

const sameKey = ({ key }: Added, alias: string): string =>
  key.map((column, at) => `n.k${at} IS ${alias}.${quoted(column)}`).join(' AND ')
