import type { Member, MemberType } from '../member.ts'
import { encodePax, utf8, type PaxRecords } from './pax.ts'
import { formatPaxTime, parsePaxTime, tarTime, timeFits } from './timestamp.ts'

/**
 * A small strict codec of ustar and pax headers (POSIX.1-2017). tar-stream is not used because exact offsets, owners
 * above 2,097,151, fractions of seconds and a strict refusal of everything else are part of the format: it writes
 * 7777777 for a large owner, drops the fraction of a time and writes sizes above 8 GiB in GNU's own base 256.
 */
export const BLOCK = 512
/** Two blocks of zeros end a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

const MAX_OCTAL_7 = 0o7777777
const MAX_OCTAL_11 = 0o77777777777
const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const
const TYPES: Readonly<Record<string, MemberType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
}

/** Bytes of zeros behind `size` bytes of content. */
export const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK

/** All header blocks of a member: a ustar header, with a pax header before it where ustar cannot say everything. */
export function encodeTarHeader(member: Member): Buffer {
  const records: PaxRecords = {}
  const fullName = member.type === 'directory' ? `${member.path}/` : member.path
  const name = splitName(fullName)
  if (name === undefined) records.path = fullName
  if (member.link !== undefined && !fits(member.link, 100)) records.linkpath = member.link
  if (member.size > MAX_OCTAL_11) records.size = String(member.size)
  const { seconds, exact } = tarTime(member.mtimeMs)
  if (!exact || seconds < 0 || seconds > MAX_OCTAL_11) records.mtime = formatPaxTime(member.mtimeMs)
  if (member.uid > MAX_OCTAL_7) records.uid = String(member.uid)
  if (member.gid > MAX_OCTAL_7) records.gid = String(member.gid)

  const header = ustar({
    ...(name ?? { prefix: '', name: asciiName(fullName) }),
    mode: member.mode,
    uid: within(member.uid, MAX_OCTAL_7),
    gid: within(member.gid, MAX_OCTAL_7),
    size: within(member.size, MAX_OCTAL_11),
    mtime: within(seconds, MAX_OCTAL_11),
    typeFlag: TYPE_FLAGS[member.type],
    link: records.linkpath === undefined ? (member.link ?? '') : asciiName(member.link ?? ''),
  })
  if (Object.keys(records).length === 0) return header
  const pax = encodePax(records)
  const paxName = `PaxHeaders/${asciiName(member.path.slice(member.path.lastIndexOf('/') + 1)).slice(0, 80)}`
  const paxHeader = ustar({
    prefix: '',
    name: paxName,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: pax.length,
    mtime: 0,
    typeFlag: 'x',
    link: '',
  })
  return Buffer.concat([paxHeader, pax, Buffer.alloc(paddingOf(pax.length)), header])
}

/** One ustar header as it stands, its checksum and magic already checked. */
export interface TarHeader {
  readonly typeFlag: string
  readonly name: string | undefined
  readonly link: string | undefined
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
}

/** A string says what is wrong with the block. */
export function decodeTarHeader(block: Buffer): TarHeader | string {
  if (block.toString('latin1', 257, 265) !== 'ustar\x0000') return 'a header block is not ustar'
  if (octal(block, 148, 8) !== checksum(block)) return 'the checksum of a header block is wrong'
  const prefix = text(block, 345, 155)
  const name = text(block, 0, 100)
  const numbers = {
    mode: octal(block, 100, 8),
    uid: octal(block, 108, 8),
    gid: octal(block, 116, 8),
    size: octal(block, 124, 12),
    mtime: octal(block, 136, 12),
  }
  for (const [field, value] of Object.entries(numbers)) {
    if (Number.isNaN(value)) return `a header block has a ${field} that is not octal`
  }
  return {
    ...numbers,
    typeFlag: block.toString('latin1', 156, 157),
    name: prefix === '' ? name : prefix === undefined || name === undefined ? undefined : `${prefix}/${name}`,
    link: text(block, 157, 100),
  }
}

/** The member that a header and the pax records before it describe; a string says why it is refused. */
export function memberOf(header: TarHeader, records: PaxRecords): Member | string {
  const type = TYPES[header.typeFlag]
  if (type === undefined) return `it has the tar type ${JSON.stringify(header.typeFlag)}`
  const name = records.path ?? header.name
  if (name === undefined) return 'its name is not UTF-8'
  const path = type === 'directory' && name.endsWith('/') ? name.slice(0, -1) : name
  const link = records.linkpath ?? header.link
  if (link === undefined) return 'its link target is not UTF-8'
  const size = decimal(records.size, header.size)
  const uid = decimal(records.uid, header.uid)
  const gid = decimal(records.gid, header.gid)
  const mtimeMs = records.mtime === undefined ? header.mtime * 1000 : parsePaxTime(records.mtime)
  if (size === undefined || uid === undefined || gid === undefined)
    return 'its pax header has a broken number'
  if (mtimeMs === undefined || !timeFits(mtimeMs)) return 'its time is not valid'
  if (type !== 'file' && size !== 0) return `it is a ${type} with content`
  if (header.mode > 0o7777) return 'its mode has more than permission bits'
  const common = { path, type, size, mode: header.mode, mtimeMs, uid, gid }
  return link === '' ? common : { ...common, link }
}

/** The best name that can be shown for a header that is refused. */
export const shownName = (header: TarHeader, records: PaxRecords): string =>
  records.path ?? header.name ?? '(a name that is not UTF-8)'

interface UstarFields {
  readonly prefix: string
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly typeFlag: string
  readonly link: string
}

function ustar(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK)
  const number = (value: number, at: number, size: number): void => {
    block.write(value.toString(8).padStart(size - 1, '0'), at, 'latin1')
  }
  block.write(fields.name, 0, 'latin1')
  number(fields.mode, 100, 8)
  number(fields.uid, 108, 8)
  number(fields.gid, 116, 8)
  number(fields.size, 124, 12)
  number(fields.mtime, 136, 12)
  block.write(fields.typeFlag, 156, 'latin1')
  block.write(fields.link, 157, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  number(0, 329, 8)
  number(0, 337, 8)
  block.write(fields.prefix, 345, 'latin1')
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** The sum of all bytes, with the checksum's own field taken as spaces. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return sum
}

// eslint-disable-next-line no-control-regex -- ASCII is what is asked
const isAscii = (name: string): boolean => /^[\x01-\x7f]*$/.test(name)
const fits = (name: string, size: number): boolean => name.length <= size && isAscii(name)

/** A name in the fields `prefix` (155) and `name` (100), cut at a slash; undefined where it does not fit. */
function splitName(name: string): { prefix: string; name: string } | undefined {
  if (!isAscii(name) || name.length > 256) return undefined
  if (name.length <= 100) return { prefix: '', name }
  const slash = name.indexOf('/', name.length - 101)
  return slash <= 0 || slash > 155 || slash === name.length - 1
    ? undefined
    : { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

/** What readers without pax would see. */
const asciiName = (name: string): string => name.replace(/[^\x20-\x7e]/g, '_').slice(0, 100)
const within = (value: number, limit: number): number => (value < 0 ? 0 : value > limit ? 0 : value)

export function text(block: Buffer, at: number, size: number): string | undefined {
  const field = block.subarray(at, at + size)
  const end = field.indexOf(0)
  return utf8(end < 0 ? field : field.subarray(0, end))
}

/** NaN where the field is not octal digits ended by a space or a zero byte; an empty field is 0. */
export function octal(block: Buffer, at: number, size: number): number {
  const match = /^ *([0-7]*)[ \0]*$/.exec(block.toString('latin1', at, at + size))
  return match === null ? Number.NaN : match[1] === '' ? 0 : Number.parseInt(match[1] ?? '', 8)
}

function decimal(record: string | undefined, otherwise: number): number | undefined {
  if (record === undefined) return otherwise
  const value = /^\d{1,16}$/.test(record) ? Number(record) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}
