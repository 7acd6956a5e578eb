import { NotJson, parsed, splitObject, textOfCell, type Cell } from '../../rows/cells.ts'
import type { SecretColumn, SequenceState, SkippedSecret } from '../../rows/model.ts'
import type { OpenedExport } from './export-file.ts'
import { readPayload, type PayloadPart } from './payload-read.ts'
import type { PayloadFields } from './payload-write.ts'

/** All of a payload but its rows. */
export interface PayloadSummary extends PayloadFields {
  readonly tables: ReadonlyMap<string, { readonly rows: number; readonly columns: readonly string[] }>
  /** Stable words: `header-not-authenticated` where the writer did not seal the header's checksum. */
  readonly warnings: readonly 'header-not-authenticated'[]
}

/**
 * One pass over the payload that keeps no row, before anything is done with one. FOREIGN_CONTENT_REFUSED says where,
 * also where rows of one table have different fields; FOREIGN_HEADER_CHANGED where the header is not the sealed one.
 */
export async function summarise(opened: OpenedExport): Promise<PayloadSummary> {
  const tables = new Map<string, { rows: number; columns: readonly string[] }>()
  const fields = new Map<string, Cell>()
  for await (const part of partsOf(opened)) {
    if (part.kind === 'table') tables.set(part.name, { rows: 0, columns: [] })
    else if (part.kind === 'field') fields.set(part.name, part.json)
    else {
      const table = tables.get(part.table)
      if (table?.rows === 0) table.columns = [...part.row.keys()]
      else if (!sameFields(part.row, table?.columns ?? []))
        throw opened.failures.content(`row ${part.number} of ${part.table} has other fields than the first`)
      if (table !== undefined) table.rows = part.number
    }
  }
  try {
    const headerSha256 = optionalText(fields, 'header_sha256')
    if (headerSha256 !== undefined && headerSha256 !== opened.headerSha256)
      throw opened.failures.headerChanged()
    const keyCheck = optionalText(fields, 'key_check')
    return {
      tables,
      secretColumns: secretColumns(fields.get('secret_columns')),
      skippedSecrets: skippedSecrets(fields.get('skipped_secrets') ?? '[]'),
      sequences: sequences(fields.get('sequences') ?? '{}'),
      ...(keyCheck === undefined ? {} : { keyCheck }),
      ...(headerSha256 === undefined ? {} : { headerSha256 }),
      warnings: headerSha256 === undefined ? ['header-not-authenticated'] : [],
    }
  } catch (error) {
    throw error instanceof NotJson ? opened.failures.content(error.message) : error
  }
}

/** The parts of the payload, once more from the file. FOREIGN_CONTENT_REFUSED for JSON that is none. */
export async function* partsOf(opened: OpenedExport): AsyncGenerator<PayloadPart, void, undefined> {
  try {
    yield* readPayload(opened.payload())
  } catch (error) {
    throw error instanceof NotJson ? opened.failures.content(error.message) : error
  }
}

function sameFields(row: ReadonlyMap<string, Cell>, columns: readonly string[]): boolean {
  return row.size === columns.length && columns.every((column) => row.has(column))
}

function optionalText(fields: ReadonlyMap<string, Cell>, name: string): string | undefined {
  const cell = fields.get(name)
  if (cell === undefined || cell === 'null') return undefined
  const text = textOfCell(cell)
  if (text === undefined) throw new NotJson(`${name} is no text`)
  return text
}

function secretColumns(cell: Cell | undefined): SecretColumn[] {
  if (cell === undefined) throw new NotJson('the payload has no secret_columns')
  return objects(cell, 'secret_columns').map((entry) => ({
    table: member(entry, 'table', 'secret_columns'),
    column: member(entry, 'column', 'secret_columns'),
    domain: member(entry, 'domain', 'secret_columns'),
  }))
}

function skippedSecrets(cell: Cell): SkippedSecret[] {
  return objects(cell, 'skipped_secrets').map((entry) => ({
    table: member(entry, 'table', 'skipped_secrets'),
    column: member(entry, 'column', 'skipped_secrets'),
    row: rowId(entry['row_id']),
    reason: member(entry, 'reason', 'skipped_secrets'),
  }))
}

/** Other writers may give the id as a number. */
function rowId(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new NotJson('skipped_secrets has an entry without row_id')
}

function sequences(cell: Cell): Map<string, SequenceState> {
  const found = new Map<string, SequenceState>()
  for (const [name, state] of splitObject(cell)) {
    const fields = splitObject(state)
    const last = fields.get('last_value') ?? ''
    const called = fields.get('is_called') ?? ''
    const lastValue = textOfCell(last) ?? last
    if (!/^-?\d{1,19}$/.test(lastValue) || !/^(true|false)$/.test(called))
      throw new NotJson(`sequences: ${JSON.stringify(name.slice(0, 100))} is no state of a counter`)
    found.set(name, { lastValue, isCalled: called === 'true' })
  }
  return found
}

function objects(cell: Cell, where: string): Record<string, unknown>[] {
  const value = parsed(cell)
  if (!Array.isArray(value)) throw new NotJson(`${where} is no list`)
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
      throw new NotJson(`${where} has an entry that is no object`)
  }
  return value as Record<string, unknown>[]
}

function member(entry: Record<string, unknown>, name: string, where: string): string {
  const value = entry[name]
  if (typeof value !== 'string') throw new NotJson(`${where} has an entry without ${name}`)
  return value
}
