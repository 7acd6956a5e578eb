import { SealiftError } from '../errors.ts'
import type { RowModel, SecretColumn } from './model.ts'
import type { LiveCatalog, LiveTable } from './store.ts'

/** A table whose rows move. */
export interface PlannedTable {
  readonly name: string
  /** All but the generated ones, in the table's order. */
  readonly columns: readonly string[]
  /** What tells rows apart: of the model, else the primary key, else every column. */
  readonly key: readonly string[]
  readonly secrets: readonly SecretColumn[]
  readonly live: LiveTable
}

/** A model and the live catalogue, brought together. */
export interface Plan {
  /** Parents before children; where a ring of foreign keys leaves a choice, the order of the model. */
  readonly tables: readonly PlannedTable[]
  /** Children before parents: every table that a replacing import empties. */
  readonly clearing: readonly string[]
}

/**
 * Every table of the database must be in exactly one class, and every column that looks like a secret must be named:
 * ROWS_UNCLASSIFIED lists all that are not. ROWS_MODEL_REFUSED for a table in two classes, a secret column that does not
 * exist, a kept table that refers to one which an import replaces. Tables of the model that the database does not have
 * are no mistake: another release has them.
 */
export function planOf(model: RowModel, catalog: LiveCatalog): Plan {
  const classOf = classes(model)
  const live = [...catalog.tables.values()]
  const unclassified = [
    ...live.filter(({ name }) => !classOf.has(name)).map(({ name }) => `table ${name}`),
    ...unnamedSecrets(model, live).map((name) => `column ${name}`),
  ]
  if (unclassified.length > 0) throw new SealiftError('ROWS_UNCLASSIFIED', { unclassified })
  checkSecrets(model, catalog)
  for (const { name, references } of live) {
    if (classOf.get(name) !== 'kept') continue
    const other = references.find(({ table }) => classOf.get(table) !== 'kept')
    if (other !== undefined) throw refused(`${name} is kept and refers to ${other.table}, which is not`)
  }
  const moving = [...model.persisted, ...model.ephemeral].filter((name) => catalog.tables.has(name))
  const ordered = parentsFirst(moving, catalog)
  return {
    tables: ordered
      .filter((name) => classOf.get(name) === 'persisted')
      .map((name) => planned(name, model, catalog)),
    clearing: ordered.toReversed(),
  }
}

type Class = 'persisted' | 'ephemeral' | 'kept'

function classes(model: RowModel): Map<string, Class> {
  const found = new Map<string, Class>()
  for (const kind of ['persisted', 'ephemeral', 'kept'] as const) {
    for (const table of model[kind]) {
      if (found.has(table)) throw refused(`${table} is named twice`)
      found.set(table, kind)
    }
  }
  return found
}

function unnamedSecrets({ secretSuffix, secrets, kept }: RowModel, live: readonly LiveTable[]): string[] {
  if (secretSuffix === undefined) return []
  const named = new Set(secrets.map(({ table, column }) => `${table}.${column}`))
  return live
    .filter(({ name }) => !kept.includes(name))
    .flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))
    .filter((name) => name.endsWith(secretSuffix) && !named.has(name))
}

function checkSecrets({ secrets }: RowModel, { tables }: LiveCatalog): void {
  for (const { table, column } of secrets) {
    const found = tables.get(table)
    if (found === undefined) continue
    const known = found.columns.find(({ name }) => name === column)
    if (known?.generated === true) throw refused(`${table}.${column} is computed and can hold no secret`)
  }
}

function planned(name: string, model: RowModel, catalog: LiveCatalog): PlannedTable {
  const live = catalog.tables.get(name)
  if (live === undefined) throw refused(`there is no table ${name}`)
  const columns = live.columns.filter(({ generated }) => !generated).map((column) => column.name)
  const key = model.keys?.[name] ?? (live.primaryKey.length > 0 ? live.primaryKey : columns)
  const missing = key.find((column) => !columns.includes(column))
  if (missing !== undefined) throw refused(`${name} has no column ${missing}, which its key names`)
  const secrets = model.secrets.filter(({ table, column }) => table === name && columns.includes(column))
  return { name, columns, key, secrets, live }
}

/** A walk through the foreign keys; one that closes a ring is passed over, since checks are put off anyway. */
function parentsFirst(names: readonly string[], { tables }: LiveCatalog): string[] {
  const wanted = new Set(names)
  const placed = new Set<string>()
  const begun = new Set<string>()
  const place = (name: string): void => {
    if (begun.has(name)) return
    begun.add(name)
    const parents = new Set((tables.get(name)?.references ?? []).map(({ table }) => table))
    for (const parent of names) if (parents.has(parent) && wanted.has(parent)) place(parent)
    placed.add(name)
  }
  for (const name of names) place(name)
  return [...placed]
}

const refused = (reason: string): SealiftError => new SealiftError('ROWS_MODEL_REFUSED', { reason })
