import type { DatabaseSync } from 'node:sqlite'
import type { Cell } from './cells.ts'
import { keyText } from './row-text.ts'
import { quoted } from './sqlite-catalog.ts'
import { valueOf } from './sqlite-cells.ts'
import type { Conflict, LiveCatalog } from './store.ts'

/** The keys of the rows that a merge added, in a table of this connection that nobody else sees. */
export class Newcomers {
  readonly #db: DatabaseSync
  readonly #tables = new Map<string, { readonly name: string; readonly key: readonly string[] }>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  add(table: string, key: readonly string[], cells: readonly Cell[]): void {
    let known = this.#tables.get(table)
    if (known === undefined) {
      known = { name: `temp.sealift_new_${this.#tables.size}`, key }
      this.#db.exec(`CREATE TEMP TABLE ${known.name.slice(5)} (${key.map((_, at) => `k${at}`).join(', ')})`)
      this.#tables.set(table, known)
    }
    const places = cells.map(() => '?').join(', ')
    this.#db
      .prepare(`INSERT INTO ${known.name} VALUES (${places})`)
      .run(...cells.map((cell) => valueOf(cell).value))
  }

  entries(): IterableIterator<[string, { readonly name: string; readonly key: readonly string[] }]> {
    return this.#tables.entries()
  }
}

/** Until nothing dangles any more: a row that goes may leave another one behind. */
export function dropDangling(db: DatabaseSync, catalog: LiveCatalog, newcomers: Newcomers): Conflict[] {
  const conflicts: Conflict[] = []
  for (let before = -1; before < conflicts.length;) {
    before = conflicts.length
    for (const [table, added] of newcomers.entries()) {
      for (const reference of catalog.tables.get(table)?.references ?? []) {
        const set = reference.columns.map((column) => `t.${quoted(column)} IS NOT NULL`)
        const match = reference.columns.map(
          (column, at) => `p.${quoted(reference.targetColumns[at] ?? 'rowid')} = t.${quoted(column)}`,
        )
        const same = added.key.map((column, at) => `n.k${at} IS t.${quoted(column)}`).join(' AND ')
        const where = `${set.join(' AND ')} AND NOT EXISTS (SELECT 1 FROM main.${quoted(reference.table)} p WHERE ${match.join(' AND ')}) AND EXISTS (SELECT 1 FROM ${added.name} n WHERE ${same})`
        const keys = added.key.map((column) => `CAST(${quoted(column)} AS TEXT)`).join(', ')
        const gone = db
          .prepare(`DELETE FROM main.${quoted(table)} AS t WHERE ${where} RETURNING ${keys}`)
          .all()
        for (const row of gone)
          conflicts.push({
            table,
            row: keyText(Object.values(row).map((value) => JSON.stringify(value))),
            reason: 'reference',
            existing: `${reference.columns.join(', ')} → ${reference.table}`,
          })
      }
    }
  }
  return conflicts
}
