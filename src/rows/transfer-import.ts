import { SealiftError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { textOfCell, type Cell } from './cells.ts'
import { fit, type Absent, type Release } from './fit.ts'
import type { Keyring } from './keyring.ts'
import type { RowModel, SkippedSecret } from './model.ts'
import { planOf, type Plan, type PlannedTable } from './plan.ts'
import type { RowArchive, TableRows } from './row-archive.ts'
import type { Conflict, Row, RowTransaction } from './store.ts'

/** `replace`: the archive's rows instead of those that are there. `merge`: beside them, and what is there stays. */
export type ImportMode = 'replace' | 'merge'

export interface ImportOptions {
  readonly transaction: RowTransaction
  readonly archive: RowArchive
  readonly model: RowModel
  /** The keys of the destination. */
  readonly keyring: Keyring
  readonly mode: ImportMode
  readonly release: Release
  /** Does all of it but the commit. */
  readonly dryRun?: boolean | undefined
  /** What an application looks at once nobody else can write: throws to refuse. */
  readonly before?: ((transaction: RowTransaction, plan: Plan) => Promise<void>) | undefined
  /** Changes the rows of a table on their way in: `undefined` for a table that comes as it is. */
  readonly change?:
    ((table: string, columns: readonly string[]) => ((row: Row) => Row) | undefined) | undefined
  /** What an application writes of its own, when all rows are in and checked, before the commit. */
  readonly after?: ((transaction: RowTransaction, report: ImportReport) => Promise<void>) | undefined
}

export interface TableReport {
  /** Rows of the archive: imported, skipped and conflicts together. */
  readonly archive: number
  readonly imported: number
  /** Their key was there already. */
  readonly skipped: number
  readonly conflicts: number
  /** Rows that were there before and are not any more. */
  readonly removed: number
}

export interface ImportReport {
  readonly mode: ImportMode
  readonly dryRun: boolean
  readonly tables: Readonly<Record<string, TableReport>>
  /** Rows of ephemeral tables that were removed. */
  readonly emptied: Readonly<Record<string, number>>
  /** Secrets that were wrapped under the destination's keys; a merge wraps those of rows that it then skips too. */
  readonly wrapped: number
  /** Secrets that the archive does not have: null now, or an empty one where there must be a value. */
  readonly missingSecrets: readonly SkippedSecret[]
  readonly conflicts: readonly Conflict[]
  readonly absent: Absent
}

/**
 * The rows of an archive into a database, in one transaction and bounded memory, every secret wrapped under the
 * destination's keys. Either all of it is there afterwards, or nothing has changed: an error anywhere undoes it when the
 * transaction is disposed. ROWS_UNCLASSIFIED, ROWS_REFUSED, DATABASE_BUSY, and what `before` and `after` throw.
 */
export async function importRows(options: ImportOptions): Promise<ImportReport> {
  const { transaction, archive, model, mode, dryRun = false } = options
  const plan = planOf(model, transaction.catalog)
  const absent = fit(archive.summary, plan, options.release)
  const planned = new Map(plan.tables.map((table) => [table.name, table]))
  await transaction.begin(mode === 'replace' ? plan.clearing : plan.tables.map(({ name }) => name))
  await options.before?.(transaction, plan)
  const removed = mode === 'replace' ? await transaction.clear(plan.clearing) : new Map<string, number>()
  const counts = new Map<string, { archive: number; imported: number; skipped: number }>()
  const conflicts: Conflict[] = []
  const wrapping = new Wrapping(options.keyring)
  for await (const incoming of archive.tables()) {
    const table = planned.get(incoming.name)
    if (table === undefined) throw contradicts(incoming.name)
    const count = { archive: 0, imported: 0, skipped: 0 }
    counts.set(table.name, count)
    const rows = prepared(table, incoming, wrapping, options, count)
    if (mode === 'replace') count.imported = await transaction.insert(table.name, incoming.columns, rows)
    else {
      const merged = await transaction.merge(table.name, incoming.columns, table.key, rows)
      Object.assign(count, { imported: merged.imported, skipped: merged.skipped })
      conflicts.push(...merged.conflicts)
    }
  }
  if (mode === 'merge') {
    for (const conflict of await transaction.dropDangling()) {
      conflicts.push(conflict)
      const count = counts.get(conflict.table)
      if (count !== undefined) count.imported--
    }
  }
  for (const [name, { rows }] of archive.summary.tables)
    if ((counts.get(name)?.archive ?? 0) !== rows) throw contradicts(name)
  await transaction.raise(archive.summary.sequences)
  await transaction.settle()
  const report: ImportReport = {
    mode,
    dryRun,
    tables: Object.fromEntries(
      plan.tables.map(({ name }) => {
        const count = counts.get(name) ?? { archive: 0, imported: 0, skipped: 0 }
        const lost = conflicts.filter(({ table }) => table === name).length
        return [name, { ...count, conflicts: lost, removed: removed.get(name) ?? 0 }]
      }),
    ),
    emptied: Object.fromEntries([...removed].filter(([name]) => !planned.has(name))),
    wrapped: wrapping.count,
    missingSecrets: archive.summary.skippedSecrets,
    conflicts,
    absent,
  }
  await options.after?.(transaction, report)
  if (!dryRun) await transaction.commit()
  return report
}

/** An archive that says one thing of itself and has another. */
const contradicts = (table: string): SealiftError =>
  new SealiftError('ROWS_REFUSED', { table, reason: 'the archive has other rows of it than it says' })

async function* prepared(
  table: PlannedTable,
  { columns, rows }: TableRows,
  wrapping: Wrapping,
  { change }: ImportOptions,
  count: { archive: number },
): AsyncGenerator<readonly Row[], void, undefined> {
  const changed = change?.(table.name, columns)
  const wrap = wrapping.of(table, columns)
  for await (const batch of rows) {
    count.archive += batch.length
    const fresh = changed === undefined ? batch : batch.map(changed)
    yield wrap === undefined ? fresh : fresh.map(wrap)
  }
}

/** Wraps the secrets of rows, and counts them. */
class Wrapping {
  count = 0
  readonly #keyring: Keyring

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  of(table: PlannedTable, columns: readonly string[]): ((row: Row) => Row) | undefined {
    const places = table.secrets.flatMap(({ column, domain }) => {
      const at = columns.indexOf(column)
      const needed = table.live.columns.find(({ name }) => name === column)?.nullable === false
      return at < 0 ? [] : [{ at, column, domain, needed }]
    })
    if (places.length === 0) return undefined
    return (row) => {
      const cells: Cell[] = [...row]
      for (const { at, column, domain, needed } of places) {
        const cell = row[at] ?? 'null'
        if (cell === 'null' && !needed) continue
        const secret = cell === 'null' ? '' : textOfCell(cell)
        if (secret === undefined)
          throw new SealiftError('ROWS_REFUSED', { table: table.name, column, reason: 'a secret is no text' })
        cells[at] = JSON.stringify(this.#keyring.wrap(domain, new Secret(secret)))
        if (cell !== 'null') this.count++
      }
      return cells
    }
  }
}
