/** What a pax extended header may say about the member behind it (POSIX.1-2017, pax, "Extended Header Keywords"). */
export interface PaxRecords {
  path?: string
  linkpath?: string
  size?: string
  mtime?: string
  uid?: string
  gid?: string
}

const USED = new Set<string>(['path', 'linkpath', 'size', 'mtime', 'uid', 'gid'])
/** Other keywords of POSIX that change nothing about what is archived here. */
export const IGNORED: ReadonlySet<string> = new Set(['atime', 'ctime', 'comment', 'uname', 'gname'])

/** An extended header has at most this many bytes: two paths of 4,096 bytes and room. */
export const PAX_LIMIT = 65_536

/** `LENGTH KEY=VALUE\n` for each record, the length counting itself. */
export function encodePax(records: PaxRecords): Buffer {
  return Buffer.from(
    Object.entries(records)
      .map(([key, value]) => {
        const rest = ` ${key}=${value as string}\n`
        const size = Buffer.byteLength(rest)
        let length = size + String(size).length
        if (String(length).length > String(size).length) length = size + String(length).length
        return `${length}${rest}`
      })
      .join(''),
  )
}

/**
 * The records of an extended header; a string says what is wrong with it. `ignores` says which other keywords may
 * stand there and change nothing.
 */
export function decodePax(
  bytes: Buffer,
  ignores = (key: string): boolean => IGNORED.has(key),
): PaxRecords | string {
  const records: Record<string, string> = {}
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = bytes.toString('latin1', at, space)
    if (space < 0 || !/^[1-9]\d{0,5}$/.test(digits)) return 'its pax header has a record without a length'
    const end = at + Number(digits)
    const equals = bytes.indexOf(0x3d, space)
    if (end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      return 'its pax header has a broken record'
    }
    const key = bytes.toString('latin1', space + 1, equals)
    const value = utf8(bytes.subarray(equals + 1, end - 1))
    at = end
    if (ignores(key)) continue
    if (!USED.has(key)) return `its pax header has the record ${JSON.stringify(key)}`
    if (key in records) return `its pax header has two records ${key}`
    if (value === undefined || value === '') return `its pax header has a record ${key} that is not text`
    records[key] = value
  }
  return records
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text that is well-formed UTF-8, or undefined. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
