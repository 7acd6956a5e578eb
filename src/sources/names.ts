import { isUtf8 } from 'node:buffer'

/** The longest path that an archive carries, in bytes of UTF-8 (archive-v1 §8), its source's name included. */
export const longestPath = 4096

/** Why an archive cannot carry this path (its last part given as the bytes on disk), or `undefined` if it can. */
export function whyRefused(source: string, path: string, name: Buffer): string | undefined {
  if (!isUtf8(name)) return 'it is not valid UTF-8'
  const length = Buffer.byteLength(source) + 1 + Buffer.byteLength(path)
  return length > longestPath ? `it is longer than ${longestPath} bytes` : undefined
}

/** A name as text that a terminal shows safely: bytes that are not UTF-8 and control characters as escapes. */
export function printable(name: Buffer): string {
  let text = ''
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((n) => at + n <= name.length && isUtf8(name.subarray(at, at + n)))
    const piece = name.subarray(at, at + (length ?? 1))
    text += length === undefined ? `\\x${piece.toString('hex')}` : escapeControls(piece.toString('utf8'))
    at += piece.length
  }
  return text
}

function escapeControls(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text).slice(1, -1) : text
}
