import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { isNumber, NotJson, splitObject, textOfCell, type Cell } from './cells.ts'

/**
 * What SQLite has for a value, which has a type of its own whatever its column says: an integer as digits, a real with
 * a point or an exponent, a text as a string, a blob as `{"blob":base64}`, a text that is not valid in the database's
 * encoding as `{"text":base64}`.
 */
export function cellOf(
  value: SQLOutputValue | undefined,
  type: SQLOutputValue | undefined,
  decode: TextDecoder,
): Cell {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return realCell(value)
  if (typeof value === 'string') return JSON.stringify(value)
  const base64 = (): string =>
    Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (type !== 'text') return `{"blob":"${base64()}"}`
  try {
    return JSON.stringify(decode.decode(value))
  } catch {
    return `{"text":"${base64()}"}`
  }
}

function realCell(value: number): Cell {
  if (!Number.isFinite(value)) return `{"real":"${value}"}`
  const digits = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(digits) ? digits : `${digits}.0`
}

/** A value to bind. `asText`: these bytes are to become a text as they stand. Throws NotJson for what is no cell. */
export function valueOf(cell: Cell): { readonly value: SQLInputValue; readonly asText?: true } {
  if (cell === 'null') return { value: null }
  if (isNumber(cell)) return { value: numberOf(cell) }
  const text = textOfCell(cell)
  if (text !== undefined) return { value: text }
  const [tag] = splitObject(cell)
  const content = tag === undefined ? undefined : textOfCell(tag[1])
  if (tag?.[0] === 'blob' && content !== undefined) return { value: Buffer.from(content, 'base64') }
  if (tag?.[0] === 'text' && content !== undefined)
    return { value: Buffer.from(content, 'base64'), asText: true }
  if (tag?.[0] === 'real' && content !== undefined) return { value: Number(content) }
  throw new NotJson('it is no value of SQLite')
}

function numberOf(cell: Cell): bigint | number {
  if (/[.eE]/.test(cell)) return Number(cell)
  const integer = BigInt(cell)
  if (BigInt.asIntN(64, integer) !== integer) throw new NotJson('it is beyond 64 bits')
  return integer
}
