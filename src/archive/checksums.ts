import type { IndexEntry } from '../member.ts'
import type { IndexLog } from './index-log.ts'

/**
 * One line of SHA256SUMS as GNU `sha256sum` writes it: where the name holds a backslash or a line break, the line
 * begins with a backslash and the name is escaped.
 */
export function checksumLine(path: string, sha256: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`
}

/** The text of SHA256SUMS: a line for every file that the log has, in its order. */
export function* checksumText(log: IndexLog): Generator<Buffer, void, undefined> {
  let piece = ''
  for (const line of log.lines()) {
    const { path, sha256 } = JSON.parse(line) as IndexEntry
    if (sha256 === undefined) continue
    piece += checksumLine(path, sha256)
    if (piece.length < 65_536) continue
    yield Buffer.from(piece)
    piece = ''
  }
  if (piece !== '') yield Buffer.from(piece)
}

/** The size that the line adds to SHA256SUMS. */
export const checksumSize = (path: string, sha256: string): number =>
  Buffer.byteLength(checksumLine(path, sha256))
