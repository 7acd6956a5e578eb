import type { RowArchive, TableRows } from '../../rows/row-archive.ts'
import { BATCH } from '../../rows/row-text.ts'
import type { Row } from '../../rows/store.ts'
import type { OpenedExport } from './export-file.ts'
import type { PayloadPart } from './payload-read.ts'
import { partsOf, type PayloadSummary } from './payload-summary.ts'

/** The rows of a BCBKv2 file for an import: each use of `tables` decrypts the file once more. */
export function exportRowArchive(opened: OpenedExport, summary: PayloadSummary): RowArchive {
  return { summary, tables: () => tablesOf(opened, summary) }
}

async function* tablesOf(
  opened: OpenedExport,
  summary: PayloadSummary,
): AsyncGenerator<TableRows, void, undefined> {
  const parts = partsOf(opened)
  try {
    let { value: part, done } = await parts.next()
    while (done !== true && part !== undefined) {
      if (part.kind !== 'table') {
        ;({ value: part, done } = await parts.next())
        continue
      }
      const columns = summary.tables.get(part.name)?.columns ?? []
      const state: { next: PayloadPart | undefined } = { next: undefined }
      const rows = batches(parts, columns, state)
      yield { name: part.name, columns, rows }
      // Rows that nobody asked for are passed over.
      for await (const _ of rows);
      part = state.next
      done = part === undefined
    }
  } finally {
    await parts.return()
  }
}

/** The rows up to the next part of another kind, which stays in `state`. */
async function* batches(
  parts: AsyncGenerator<PayloadPart, void, undefined>,
  columns: readonly string[],
  state: { next: PayloadPart | undefined },
): AsyncGenerator<readonly Row[], void, undefined> {
  let batch: Row[] = []
  for (;;) {
    const { value: part, done } = await parts.next()
    if (done === true || part.kind !== 'row') {
      if (batch.length > 0) yield batch
      state.next = done === true ? undefined : part
      return
    }
    batch.push(columns.map((column) => part.row.get(column) ?? 'null'))
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
}
