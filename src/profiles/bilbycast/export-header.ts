import { isNumber, NotJson, splitObject, textOfCell, type Cell } from '../../rows/cells.ts'
import type { FileFailures } from './failures.ts'
import { COST_LIMIT, FIXED_COST, SALT_SIZE, type Cost } from './stretch.ts'

export const HEADER_LIMIT = 65_536
export const HEADER_SHORTEST = 2
const LONGEST_SALT = 64

/** The header of a BCBKv2 file (bilbycast.md §2). Nothing of it is authenticated by itself. */
export interface ExportHeader {
  /** RFC 3339, as it stands. */
  readonly createdAt: string
  /** The id of the user who exported over REST, or `cli-export`. */
  readonly exporter: string
  /** The highest migration that was applied: digits. */
  readonly schemaVersion: string
  readonly cost: Cost
  readonly salt: Buffer
}

/** Compact JSON in the order that the format has; `createdAt` with whole seconds in UTC. */
export function encodeExportHeader({
  createdAt,
  exporter,
  schemaVersion,
  salt,
}: Omit<ExportHeader, 'cost'>): Buffer {
  const { memoryKib, passes, lanes } = FIXED_COST
  const kdf = { alg: 'argon2id', v: 19, m_kib: memoryKib, t: passes, p: lanes, salt: salt.toString('base64') }
  const start = JSON.stringify({ format_version: 2, created_at: createdAt, exporter, kdf })
  return Buffer.from(`${start.slice(0, -1)},"schema_version":${schemaVersion}}`)
}

/** FOREIGN_HEADER_REFUSED names the field. Nothing is allocated or stretched before every limit was checked. */
export function decodeExportHeader(bytes: Buffer, failures: FileFailures): ExportHeader {
  const fields = objectOf(bytes, failures)
  if (fields.get('format_version') !== '2') throw failures.header('format_version', 'it is not 2')
  const created = text(fields, 'created_at', failures)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(created))
    throw failures.header('created_at', 'it is no RFC 3339 time')
  const exporter = text(fields, 'exporter', failures)
  const version = fields.get('schema_version') ?? ''
  if (!/^(0|[1-9]\d{0,18})$/.test(version)) throw failures.header('schema_version', 'it is no version number')
  const kdf = nested(fields, failures)
  fixed(kdf, 'alg', '"argon2id"', failures)
  fixed(kdf, 'v', '19', failures)
  return {
    createdAt: created,
    exporter,
    schemaVersion: version,
    cost: {
      memoryKib: bounded(kdf, 'm_kib', FIXED_COST.memoryKib, COST_LIMIT.memoryKib, failures),
      passes: bounded(kdf, 't', FIXED_COST.passes, COST_LIMIT.passes, failures),
      lanes: bounded(kdf, 'p', FIXED_COST.lanes, COST_LIMIT.lanes, failures),
    },
    salt: saltOf(kdf, failures),
  }
}

type Fields = ReadonlyMap<string, Cell>

function objectOf(bytes: Buffer, failures: FileFailures): Fields {
  let json: string
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw failures.header('header', 'it is not UTF-8')
  }
  // Text after the object, which the bytes of header_len would hide, is refused by the split too.
  return split(json, 'header', failures)
}

function nested(fields: Fields, failures: FileFailures): Fields {
  const cell = fields.get('kdf')
  if (cell === undefined) throw failures.header('kdf', 'it is missing')
  return split(cell, 'kdf', failures)
}

function split(json: string, field: string, failures: FileFailures): Fields {
  try {
    return splitObject(json)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw failures.header(field, error.message)
  }
}

function text(fields: Fields, field: string, failures: FileFailures): string {
  const cell = fields.get(field)
  try {
    const value = cell === undefined ? undefined : textOfCell(cell)
    if (value !== undefined) return value
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
  }
  throw failures.header(field, cell === undefined ? 'it is missing' : 'it is no text')
}

/** Absent stands for the one value that there is. */
function fixed(kdf: Fields, field: string, only: Cell, failures: FileFailures): void {
  if ((kdf.get(field) ?? only) !== only) throw failures.header(`kdf.${field}`, `it is not ${only}`)
}

/** Absent stands for the least, which is what every writer spends. */
function bounded(kdf: Fields, field: string, least: number, most: number, failures: FileFailures): number {
  const cell = kdf.get(field)
  if (cell === undefined) return least
  const value = isNumber(cell) && /^[0-9]{1,10}$/.test(cell) ? Number(cell) : Number.NaN
  if (!(value >= least && value <= most))
    throw failures.header(`kdf.${field}`, `it is not a whole number from ${least} to ${most}`)
  return value
}

function saltOf(kdf: Fields, failures: FileFailures): Buffer {
  const cell = kdf.get('salt') ?? ''
  const salt = Buffer.from(cell.slice(1, -1), 'base64')
  if (cell !== `"${salt.toString('base64')}"` || salt.length < SALT_SIZE || salt.length > LONGEST_SALT)
    throw failures.header('kdf.salt', `it is not base64 of ${SALT_SIZE} to ${LONGEST_SALT} bytes`)
  return salt
}
