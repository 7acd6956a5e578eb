import { SealiftError } from '../errors.ts'
import type { IndexEntry, MemberType } from '../member.ts'
import { linkRefusal, pathRefusal } from './member-path.ts'
import { formatTime, parseTime } from './timestamp.ts'

/** Decompressed bytes of an index (archive-v1 §8). */
export const INDEX_LIMIT = 2 ** 30

/** The last line of an index: sizes that everything before it must have. */
export interface IndexSummary {
  readonly payloadSize: number
  readonly members: number
  /** The `length` field of each data chunk, in order. */
  readonly chunks: readonly number[]
}

/** The line of one member, with its line feed; the only spelling that is accepted [I-2]. */
export function encodeMemberLine(entry: IndexEntry): string {
  const { path, type, link, size, sha256, offset } = entry
  const mode = entry.mode.toString(8).padStart(4, '0')
  return `${JSON.stringify({ path, type, link, size, mode, mtime: formatTime(entry.mtimeMs), sha256, offset })}\n`
}

export function encodeSummaryLine({ payloadSize, members, chunks }: IndexSummary): string {
  return `${JSON.stringify({ payload_size: payloadSize, members, chunks })}\n`
}

/** A line of the index: a member, or the last line. CONTENTS_DISAGREE where it is neither. `number` counts from 1. */
export function decodeIndexLine(line: string, number: number): IndexEntry | IndexSummary {
  const refuse = (reason: string) =>
    new SealiftError('CONTENTS_DISAGREE', { member: `index line ${number}`, reason })
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    throw refuse('it is not JSON')
  }
  const decoded = 'payload_size' in Object(fields) ? summaryOf(fields) : entryOf(fields)
  if (decoded === undefined) throw refuse('a key is missing or not valid')
  const canonical = 'path' in decoded ? encodeMemberLine(decoded) : encodeSummaryLine(decoded)
  if (canonical !== `${line}\n`) throw refuse('it is not in the one spelling that is accepted')
  return decoded
}

const TYPES: readonly unknown[] = ['file', 'directory', 'symlink', 'hardlink'] satisfies MemberType[]
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function summaryOf(fields: Record<string, unknown>): IndexSummary | undefined {
  const { payload_size: payloadSize, members, chunks } = fields
  return isCount(payloadSize) && isCount(members) && Array.isArray(chunks) && chunks.every(isCount)
    ? { payloadSize, members, chunks }
    : undefined
}

function entryOf(fields: Record<string, unknown> | null): IndexEntry | undefined {
  const { path, type, link, size, mode, mtime, sha256, offset } = fields ?? {}
  if (typeof path !== 'string' || pathRefusal(path) !== undefined || !TYPES.includes(type)) return undefined
  if (!isCount(size) || !isCount(offset) || typeof mtime !== 'string' || typeof mode !== 'string')
    return undefined
  if (link !== undefined && typeof link !== 'string') return undefined
  const kind = type as MemberType
  const mtimeMs = parseTime(mtime)
  if (mtimeMs === undefined || !/^[0-7]{4}$/.test(mode) || linkRefusal(kind, link) !== undefined)
    return undefined
  const common = { path, type: kind, size, mode: Number.parseInt(mode, 8), mtimeMs, offset }
  if (kind !== 'file') {
    return sha256 === undefined && size === 0
      ? { ...common, ...(link === undefined ? {} : { link }) }
      : undefined
  }
  return typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? { ...common, sha256 } : undefined
}
