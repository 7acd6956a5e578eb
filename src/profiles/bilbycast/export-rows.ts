import { rowTexts } from '../../rows/row-text.ts'
import type { RowExport } from '../../rows/transfer-export.ts'
import { writeExport, type SealExport } from './export-file.ts'
import { payloadText, type PayloadTable } from './payload-write.ts'

/**
 * The rows of an export as a BCBKv2 file, in bounded memory. Complete only once the iteration has ended; an error of the
 * rows (a keyring that opens nothing) comes before the tag, so that what was written opens nowhere.
 */
export function writeRowExport(rows: RowExport, seal: SealExport): AsyncGenerator<Buffer, void, undefined> {
  return writeExport(
    (headerSha256) =>
      payloadText(tables(rows), () => ({
        secretColumns: rows.secretColumns,
        skippedSecrets: rows.report().skipped,
        sequences: rows.sequences,
        keyCheck: rows.keyCheck,
        headerSha256,
      })),
    seal,
  )
}

async function* tables(rows: RowExport): AsyncGenerator<PayloadTable, void, undefined> {
  for await (const { name, columns, rows: found } of rows.tables()) {
    const text = rowTexts(columns)
    async function* texts(): AsyncGenerator<readonly string[], void, undefined> {
      for await (const batch of found) yield batch.map(text)
    }
    yield { name, rows: texts() }
  }
}
