import { SealiftError } from '../errors.ts'
import { textOfCell, type Cell } from './cells.ts'
import type { Keyring } from './keyring.ts'
import type { RowModel, SecretColumn, SequenceState, SkippedSecret } from './model.ts'
import { planOf, type PlannedTable } from './plan.ts'
import type { TableRows } from './row-archive.ts'
import { keyText } from './row-text.ts'
import type { Row, RowSnapshot } from './store.ts'

/** How many undecryptable secrets an error names. */
const NAMED = 20

export interface ExportOptions {
  readonly snapshot: RowSnapshot
  readonly model: RowModel
  /** The keys that the application's secrets are under now. */
  readonly keyring: Keyring
  /** A secret that does not open is then the end of the run; else its cell is null, and it is listed. */
  readonly failOnUndecryptable?: boolean | undefined
}

/** What an export wrote, complete when its last table has ended. */
export interface ExportReport {
  readonly rows: Readonly<Record<string, number>>
  /** Secrets that were opened. */
  readonly secrets: number
  readonly skipped: readonly SkippedSecret[]
}

export interface RowExport {
  readonly secretColumns: readonly SecretColumn[]
  readonly keyCheck: string
  readonly sequences: ReadonlyMap<string, SequenceState>
  /** Once, parents before children. The last one throws if the secrets were not to be had. */
  tables(): AsyncIterable<TableRows>
  report(): ExportReport
}

/**
 * The rows of an application out of one snapshot, as a stream in bounded memory, every secret opened. ROWS_UNCLASSIFIED
 * before anything is read. ROWS_KEYRING_WRONG at the end of the rows if there are secrets and not one opens: then the
 * keys are another deployment's; ROWS_UNDECRYPTABLE if one does not and that was asked for. Whoever writes the rows
 * somewhere keeps nothing of it then.
 */
export async function exportRows(options: ExportOptions): Promise<RowExport> {
  const { snapshot, model, keyring } = options
  const { tables } = planOf(model, snapshot.catalog)
  const rows: Record<string, number> = {}
  const skipped: SkippedSecret[] = []
  let secrets = 0
  const moving = new Set(tables.map(({ name }) => name))
  const sequences = new Map(
    Array.from(await snapshot.sequences()).filter(([name]) =>
      moving.has(name.slice(0, name.lastIndexOf('.'))),
    ),
  )
  return {
    secretColumns: tables.flatMap((table) => table.secrets),
    keyCheck: keyring.check,
    sequences,
    async *tables() {
      for (const table of tables) yield { name: table.name, columns: table.columns, rows: opened(table) }
      finish()
    },
    report: () => ({ rows, secrets, skipped }),
  }

  async function* opened(table: PlannedTable): AsyncGenerator<readonly Row[], void, undefined> {
    rows[table.name] = 0
    const places = table.secrets.map(({ column, domain }) => ({
      at: table.columns.indexOf(column),
      column,
      domain,
    }))
    for await (const batch of snapshot.rows(table.name, table.columns)) {
      rows[table.name] = (rows[table.name] ?? 0) + batch.length
      yield places.length === 0 ? batch : batch.map((row) => open(table, places, row))
    }
  }

  function open(
    table: PlannedTable,
    places: readonly { at: number; column: string; domain: string }[],
    row: Row,
  ): Row {
    const cells: Cell[] = [...row]
    for (const { at, column, domain } of places) {
      const cell = row[at] ?? 'null'
      if (cell === 'null') continue
      const answer = keyring.open(domain, textOfCell(cell) ?? '')
      if ('secret' in answer) {
        secrets++
        cells[at] = JSON.stringify(answer.secret.reveal())
      } else {
        cells[at] = 'null'
        const key = keyText(table.key.map((name) => row[table.columns.indexOf(name)] ?? 'null'))
        skipped.push({ table: table.name, column, row: key, reason: answer.refused })
      }
    }
    return cells
  }

  function finish(): void {
    if (skipped.length === 0) return
    if (secrets === 0) throw new SealiftError('ROWS_KEYRING_WRONG', { secrets: skipped.length })
    if (options.failOnUndecryptable === true)
      throw new SealiftError('ROWS_UNDECRYPTABLE', { count: skipped.length, first: skipped.slice(0, NAMED) })
  }
}
