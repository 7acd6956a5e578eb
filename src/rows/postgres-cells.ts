import { isNumber, NotJson, parsed, textOfCell, type Cell } from './cells.ts'
import type { CellKind } from './postgres-catalog.ts'
import type { Row } from './store.ts'

const LINE_FEED = 0x0a
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The rows of `COPY … TO STDOUT` in its text format (PostgreSQL manual, COPY, "Text Format"), in batches. */
export async function* rowsOfCopy(
  pieces: AsyncIterable<Buffer>,
  kinds: readonly CellKind[],
): AsyncGenerator<readonly Row[], void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let held: Buffer[] = []
  let batch: Row[] = []
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(LINE_FEED)
    if (end < 0) {
      held.push(piece)
      continue
    }
    const whole =
      held.length === 0 ? piece.subarray(0, end) : Buffer.concat([...held, piece.subarray(0, end)])
    held = end + 1 < piece.length ? [piece.subarray(end + 1)] : []
    for (const line of decoder.decode(whole).split('\n')) {
      batch.push(rowOf(line, kinds))
      if (batch.length < 1000) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

function rowOf(line: string, kinds: readonly CellKind[]): Row {
  if (kinds.length === 0) return []
  const fields = line.split('\t')
  for (let at = 0; at < fields.length; at++) fields[at] = cellOfCopy(fields[at] ?? '', kinds[at] ?? 'text')
  return fields
}

function cellOfCopy(field: string, kind: CellKind): Cell {
  if (field === '\\N') return 'null'
  if (kind === 'integer') return field
  if (kind === 'boolean') return field === 't' ? 'true' : 'false'
  return JSON.stringify(field.includes('\\') ? unescaped(field) : field)
}

const unescaped = (field: string): string =>
  field.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)

/**
 * A cell as the text that PostgreSQL takes for a column, `null` for NULL. Throws NotJson for a JSON value that its type
 * has not: numbers only for numbers, lists and objects only for json. Digits are never changed.
 */
export function textOfColumn(cell: Cell, kind: CellKind): string | null {
  if (cell === 'null') return null
  const text = textOfCell(cell)
  if (text !== undefined) return text
  if (kind === 'json') {
    parsed(cell)
    return cell
  }
  if (isNumber(cell)) {
    if (kind === 'integer' || kind === 'number') return cell
  } else if (kind === 'boolean' && (cell === 'true' || cell === 'false')) return cell
  throw new NotJson('it has a value that its type does not have')
}

/** One line for `COPY … FROM STDIN`. */
export function copyLine(row: Row, kinds: readonly CellKind[]): string {
  let line = ''
  for (let at = 0; at < kinds.length; at++) {
    const text = textOfColumn(row[at] ?? 'null', kinds[at] ?? 'text')
    if (at > 0) line += '\t'
    if (text === null) line += '\\N'
    else line += /[\\\n\r\t]/.test(text) ? text.replaceAll(/[\\\n\r\t]/g, (c) => COPY_ESCAPES[c] ?? c) : text
  }
  return `${line}\n`
}
