import { SealiftError } from '../errors.ts'
import { fieldsOf, integerField, invalidHeader, textField } from './header-fields.ts'
import { utf8 } from './pax.ts'
import { decodeSlot, describeSlot, encodeSlot, type Slot, type SlotInfo } from './slots.ts'

export const MAC_SIZE = 32
export const SLOT_LIMIT = 16
export const DEFAULT_CHUNK_SIZE = 1_048_576
const MAGIC = Buffer.from('89534c46540d0a1a', 'hex')
const PRELUDE_SIZE = 12
const JSON_LIMIT = 65_536
/** Levels of objects and arrays; the format itself has three. */
const DEPTH_LIMIT = 8

export type Compression = 'zstd' | 'none'

/** What `header_json` says (archive-v1 §3). */
export interface Header {
  readonly id: string
  /** RFC 3339 in whole seconds, UTC. */
  readonly createdAt: string
  readonly writer: string
  readonly compression: Compression
  readonly chunkSize: number
  readonly slots: readonly Slot[]
}

/** The header's own statements, with its slots as far as anyone can see them. */
export interface ArchiveHeader extends Omit<Header, 'slots'> {
  readonly slots: readonly SlotInfo[]
  /** Bytes before the first chunk. */
  readonly headerSize: number
}

/** A header as it was read. `bytes` is what its MAC covers; `size` counts the MAC too. */
export interface ReadHeader {
  readonly header: Header
  readonly bytes: Buffer
  readonly mac: Buffer
  readonly size: number
}

export function describeHeader({ header, size }: ReadHeader): ArchiveHeader {
  return { ...header, slots: header.slots.map(describeSlot), headerSize: size }
}

/** magic, length and JSON: everything before the MAC. The one spelling of a header [H-4]. */
export function encodeHeader(header: Header): Buffer {
  const json = Buffer.from(
    JSON.stringify({
      format: 1,
      id: header.id,
      created_at: header.createdAt,
      writer: header.writer,
      cipher: 'aes-256-gcm',
      compression: header.compression,
      chunk_size: header.chunkSize,
      slots: header.slots.map(encodeSlot),
    }),
  )
  if (json.length > JSON_LIMIT)
    throw invalidHeader(`it would have ${json.length} bytes, more than ${JSON_LIMIT}`)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  return Buffer.concat([MAGIC, length, json])
}

/**
 * Reads a header; `take` gives the next bytes of the archive, fewer only at its end. Nothing of it is authenticated
 * yet. NOT_AN_ARCHIVE naming `name`, ARCHIVE_TOO_NEW, HEADER_INVALID, ARCHIVE_CUT.
 */
export async function readHeader(
  take: (size: number) => Promise<Buffer>,
  name: string | undefined,
): Promise<ReadHeader> {
  const prelude = await take(PRELUDE_SIZE)
  const magic = prelude.subarray(0, MAGIC.length)
  if (!magic.equals(MAGIC.subarray(0, magic.length))) {
    throw new SealiftError('NOT_AN_ARCHIVE', name === undefined ? {} : { name })
  }
  if (prelude.length < PRELUDE_SIZE) throw new SealiftError('ARCHIVE_CUT', { at: prelude.length })
  const length = prelude.readUInt32LE(MAGIC.length)
  if (length < 2 || length > JSON_LIMIT)
    throw invalidHeader(`its length is ${length}, not 2 to ${JSON_LIMIT}`)
  const rest = await take(length + MAC_SIZE)
  if (rest.length < length + MAC_SIZE) {
    throw new SealiftError('ARCHIVE_CUT', { at: PRELUDE_SIZE + rest.length })
  }
  const json = rest.subarray(0, length)
  const header = decodeHeader(json)
  const bytes = Buffer.concat([prelude, json])
  if (!encodeHeader(header).equals(bytes))
    throw invalidHeader('it is not in the one spelling that is accepted')
  return { header, bytes, mac: rest.subarray(length), size: bytes.length + MAC_SIZE }
}

const KEYS = ['format', 'id', 'created_at', 'writer', 'cipher', 'compression', 'chunk_size', 'slots'] as const

/**
 * The fields of a header. That re-encoding gives the same bytes is checked by the caller; this refuses duplicate keys,
 * white space and every other second spelling, of which JSON.parse says nothing.
 */
function decodeHeader(json: Buffer): Header {
  const value = parseShallow(json)
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined
  if (Number.isSafeInteger(format) && (format as number) > 1) {
    throw new SealiftError('ARCHIVE_TOO_NEW', { format: format as number })
  }
  const fields = fieldsOf(value, KEYS, 'the header')
  if (format !== 1) throw invalidHeader('format is not 1')
  const createdAt = textField(fields.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'created_at')
  const time = new Date(createdAt)
  if (Number.isNaN(time.getTime()) || formatSeconds(time) !== createdAt)
    throw invalidHeader('created_at is no time')
  if (fields.cipher !== 'aes-256-gcm') throw invalidHeader('cipher is not aes-256-gcm')
  if (fields.compression !== 'zstd' && fields.compression !== 'none') {
    throw invalidHeader('compression is neither zstd nor none')
  }
  const slots = fields.slots
  if (!Array.isArray(slots)) throw invalidHeader('slots is not an array')
  if (slots.length < 1 || slots.length > SLOT_LIMIT) {
    throw invalidHeader(`it has ${slots.length} slots, not 1 to ${SLOT_LIMIT}`)
  }
  return {
    id: textField(fields.id, /^[0-9a-f]{32}$/, 'id'),
    createdAt,
    writer: textField(fields.writer, /^[\x20-\x7e]{1,128}$/, 'writer'),
    compression: fields.compression,
    chunkSize: chunkSizeField(fields.chunk_size),
    slots: slots.map((slot, number) => decodeSlot(slot, number)),
  }
}

/** A power of two from 65,536 to 16,777,216. HEADER_INVALID. */
export function chunkSizeField(value: unknown): number {
  const size = integerField(value, 65_536, 16_777_216, 'chunk_size')
  if ((size & (size - 1)) !== 0) throw invalidHeader(`chunk_size is ${size}, not a power of two`)
  return size
}

export const formatSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`

/** JSON of bounded depth, so that neither parsing nor printing it again can exhaust the stack. */
function parseShallow(json: Buffer): unknown {
  const text = utf8(json)
  if (text === undefined) throw invalidHeader('it is not UTF-8')
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth > DEPTH_LIMIT) throw invalidHeader(`it is nested deeper than ${DEPTH_LIMIT} levels`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidHeader('it is not JSON', error)
  }
}
