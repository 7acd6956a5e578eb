import { createHash } from 'node:crypto'
import type { Facts, FactValue } from '../manifest.ts'

/**
 * What a record tells of. `begun` opens a log where an earlier one is known and gone; `repair` stands where an append
 * was cut off by a crash; the others are named after the verbs that proved something.
 */
export type EvidenceKind = 'drill' | 'backup' | 'verify' | 'restore' | 'begun' | 'repair'

/** What is put into the log. No secret ever is. */
export interface EvidenceEntry {
  readonly kind: EvidenceKind
  /** RFC 3339 in UTC. */
  readonly time: string
  readonly app: string
  readonly host: string
  /** The version of Sealift that says so. */
  readonly version: string
  /** What it is about: `archive`, `target`, `name`, `created_at`. */
  readonly subject: Facts
  readonly verdict: 'ok' | 'attention' | 'fail'
  readonly details: Facts
}

/**
 * One line of the log. `hash` is the SHA-256 (lower hex) of the record's canonical JSON without `hash`; `prev` is the
 * `hash` of the record before it, 64 zeros for the first. `seq` counts from 1 without a gap.
 */
export interface EvidenceRecord extends EvidenceEntry {
  readonly v: 1
  readonly seq: number
  readonly prev: string
  readonly hash: string
}

/** Where the next record hangs: the head of a log. */
export interface EvidenceHead {
  readonly seq: number
  readonly hash: string
}

/** The `prev` of the first record. */
export const nothingBefore = '0'.repeat(64)

/** An entry as the record that follows `after`. */
export function chained(entry: EvidenceEntry, after: EvidenceHead): EvidenceRecord {
  const { kind, time, app, host, version, subject, verdict, details } = entry
  const open = { kind, time, app, host, version, subject, verdict, details }
  const record = { v: 1 as const, seq: after.seq + 1, prev: after.hash, ...open }
  return { ...record, hash: hashOf(record) }
}

/** The line of a record, without its end. */
export function lineOf(record: EvidenceRecord): string {
  return canonical(record as unknown as FactValue)
}

export function hashOf(record: Omit<EvidenceRecord, 'hash'>): string {
  const { hash: _, ...open } = record as EvidenceRecord
  return sha256(canonical(open))
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * The record that a line holds; undefined for a line that is none, or is not written as `lineOf` writes it: two
 * spellings of one record would be a place to hide a change.
 */
export function parseLine(line: string): EvidenceRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  return lineOf(value) === line ? value : undefined
}

function isRecord(value: unknown): value is EvidenceRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { v, seq, subject, details, ...texts } = value as Readonly<Record<string, unknown>>
  const names = ['kind', 'time', 'app', 'host', 'version', 'verdict', 'prev', 'hash']
  return (
    v === 1 &&
    typeof seq === 'number' &&
    Number.isSafeInteger(seq) &&
    [subject, details].every((part) => typeof part === 'object' && part !== null && !Array.isArray(part)) &&
    names.every((name) => typeof texts[name] === 'string') &&
    Object.keys(texts).length === names.length
  )
}

/**
 * JSON with the keys of each object in order and nothing between the tokens (RFC 8785, whose numbers and strings are
 * those of ECMAScript). Parts that are `undefined` are left out.
 */
function canonical(value: FactValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map((each: FactValue) => canonical(each)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts = Object.entries(value)
    .filter(([, each]) => (each as unknown) !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`)
  return `{${parts.join(',')}}`
}
