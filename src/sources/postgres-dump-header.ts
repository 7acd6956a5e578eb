const MAGIC = Buffer.from('PGDMP', 'latin1')
/** More than any header is long. */
export const HEADER_SIZE = 4096

/** What the head of a `pg_dump --format=custom` says of itself. */
export interface DumpHeader {
  readonly database: string
  /** Of the server that was dumped: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly serverVersion: string
  /** Of the program that wrote the dump; what reads it may not be older. */
  readonly dumpVersion: string
  readonly dumpMajor: number
}

export const isDump = (start: Uint8Array): boolean =>
  MAGIC.equals(start.subarray(0, MAGIC.length)) && start.length >= MAGIC.length

/**
 * Reads the first bytes of a dump (pg_backup_archiver.c, WriteHead): magic, format version, sizes, format, compression,
 * seven numbers of a time, three texts. `undefined` for what is none, or is cut within its head.
 */
export function readDumpHeader(start: Buffer): DumpHeader | undefined {
  if (!isDump(start)) return undefined
  let at = MAGIC.length
  const byte = (): number => start[at++] ?? Number.NaN
  const [major, minor] = [byte(), byte(), byte()] as const
  const intSize = byte()
  byte()
  if (major !== 1 || intSize > 8 || byte() !== 1) return undefined
  const int = (): number => {
    const negative = byte() !== 0
    let value = 0
    for (let place = 0; place < intSize; place++) value += byte() * 2 ** (8 * place)
    return negative ? -value : value
  }
  const text = (): string => {
    const length = int()
    if (!(length >= 0 && length < HEADER_SIZE)) return ''
    at += length
    return start.toString('utf8', at - length, at)
  }
  // One byte for the algorithm from format 1.15 on, a number for the level before.
  if (minor >= 15) byte()
  else int()
  for (let part = 0; part < 7; part++) int()
  const [database, serverVersion, dumpVersion] = [text(), text(), text()]
  const dumpMajor = Number.parseInt(dumpVersion, 10)
  if (at > start.length || Number.isNaN(dumpMajor)) return undefined
  return { database, serverVersion, dumpVersion, dumpMajor }
}
