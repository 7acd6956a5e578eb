import type { DatabaseSync } from 'node:sqlite'
import type { LiveCatalog, LiveColumn, LiveReference, LiveTable } from './store.ts'

/** Asks the schema; views and the shadow tables of virtual ones are not of it. */
export function readCatalog(db: DatabaseSync): LiveCatalog {
  const names = db
    .prepare(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all()
    .map(({ name }) => String(name))
  return { tables: new Map(names.map((name) => [name, tableOf(db, name)])) }
}

function tableOf(db: DatabaseSync, name: string): LiveTable {
  // hidden: 1 of a virtual table, 2 and 3 generated.
  const columns = db
    .prepare(
      'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden != 1',
    )
    .all(name)
  const primaryKey = columns
    .filter(({ pk }) => Number(pk) > 0)
    .sort((one, other) => Number(one['pk']) - Number(other['pk']))
    .map((column) => String(column['name']))
  return {
    name,
    columns: columns.map((column): LiveColumn => ({
      name: String(column['name']),
      type: String(column['type']),
      nullable: Number(column['notnull']) === 0 && Number(column['pk']) === 0,
      hasDefault: column['dflt_value'] !== null || (primaryKey.length === 1 && Number(column['pk']) > 0),
      generated: Number(column['hidden']) > 1,
    })),
    primaryKey,
    uniqueKeys: uniqueKeys(db, name),
    references: referencesOf(db, name),
    owned: true,
  }
}

function uniqueKeys(db: DatabaseSync, table: string): string[][] {
  return db
    .prepare(`SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND origin != 'pk' AND partial = 0`)
    .all(table)
    .map(({ name }) =>
      db
        .prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno')
        .all(String(name))
        .map((column) => column['name']),
    )
    .filter((names) => names.every((name) => name !== null))
    .map((names) => names.map(String))
}

function referencesOf(db: DatabaseSync, table: string): LiveReference[] {
  const rows = db
    .prepare(
      'SELECT id, "table" AS target, "from" AS source, "to" AS wanted FROM pragma_foreign_key_list(?) ORDER BY id, seq',
    )
    .all(table)
  const found = new Map<string, { columns: string[]; table: string; targetColumns: string[] }>()
  for (const { id, target, source, wanted } of rows) {
    const entry = found.get(String(id)) ?? { columns: [], table: String(target), targetColumns: [] }
    entry.columns.push(String(source))
    if (wanted !== null) entry.targetColumns.push(String(wanted))
    found.set(String(id), entry)
  }
  return Array.from(found, ([id, entry]) => ({
    ...entry,
    name: `${table}.${id}`,
    // Without columns the foreign key means the primary key.
    targetColumns: entry.targetColumns.length > 0 ? entry.targetColumns : primaryKeyOf(db, entry.table),
  }))
}

function primaryKeyOf(db: DatabaseSync, table: string): string[] {
  return db
    .prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
    .all(table)
    .map(({ name }) => String(name))
}
