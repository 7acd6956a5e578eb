import type { Cell } from '../../rows/cells.ts'
import type { SecretColumn, SequenceState, SkippedSecret } from '../../rows/model.ts'

/** One table of a payload: the JSON texts of its row objects, in order and in batches. */
export interface PayloadTable {
  readonly name: string
  readonly rows: AsyncIterable<readonly string[]>
}

/** What a payload says beside its rows. */
export interface PayloadFields {
  readonly secretColumns: readonly SecretColumn[]
  readonly skippedSecrets: readonly SkippedSecret[]
  /** By `table.column`. */
  readonly sequences: ReadonlyMap<string, SequenceState>
  readonly keyCheck?: string
  readonly headerSha256?: string
}

const PIECE = 1 << 16

/**
 * The payload JSON of a BCBKv2 file (bilbycast.md §2), written row by row: the whole may be longer than a JavaScript
 * string can be. `fields` is asked for when all rows are written, because only then it is known what was skipped.
 */
export async function* payloadText(
  tables: AsyncIterable<PayloadTable> | Iterable<PayloadTable>,
  fields: () => PayloadFields,
): AsyncGenerator<Buffer, void, undefined> {
  let text = '{"tables":{'
  let first = true
  for await (const { name, rows } of tables) {
    text += `${first ? '' : ','}${JSON.stringify(name)}:[`
    first = false
    let begun = false
    for await (const batch of rows) {
      if (batch.length > 0) text += (begun ? ',' : '') + batch.join(',')
      begun ||= batch.length > 0
      if (text.length < PIECE) continue
      yield Buffer.from(text)
      text = ''
    }
    text += ']'
  }
  yield Buffer.from(`${text}}${fieldsText(fields())}}`)
}

function fieldsText({ keyCheck, headerSha256, ...fields }: PayloadFields): string {
  const skipped = fields.skippedSecrets.map(({ table, column, row, reason }) => ({
    table,
    column,
    row_id: row,
    reason,
  }))
  const columns = fields.secretColumns.map(({ table, column, domain }) => ({ table, column, domain }))
  const parts: [string, Cell][] = [
    ['secret_columns', JSON.stringify(columns)],
    ['skipped_secrets', JSON.stringify(skipped)],
    ['sequences', sequencesText(fields.sequences)],
  ]
  if (keyCheck !== undefined) parts.push(['key_check', JSON.stringify(keyCheck)])
  if (headerSha256 !== undefined) parts.push(['header_sha256', JSON.stringify(headerSha256)])
  return parts.map(([name, text]) => `,"${name}":${text}`).join('')
}

/** By hand, so that a counter beyond 2^53 keeps its digits. */
function sequencesText(sequences: ReadonlyMap<string, SequenceState>): string {
  const parts = Array.from(
    sequences,
    ([name, { lastValue, isCalled }]) =>
      `${JSON.stringify(name)}:{"last_value":${lastValue},"is_called":${isCalled}}`,
  )
  return `{${parts.join(',')}}`
}
