import type { IndexEntry, MemberType } from '../member.ts'
import { printable } from './printable.ts'
import { minute, size } from './quantity.ts'

const letters: Readonly<Record<MemberType, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
}

/** One line of an index as `ls -l` would show it; the name comes last and may be long. */
export function memberLine(entry: IndexEntry): string {
  const { type, mode, mtimeMs, path, link } = entry
  const bytes = type === 'file' ? size(entry.size) : ''
  const when = minute(new Date(mtimeMs).toISOString())
  const name = link === undefined ? printable(path) : `${printable(path)} -> ${printable(link)}`
  return `${letters[type]}${permissions(mode)}  ${bytes.padStart(10)}  ${when}  ${name}`
}

/** `rwxr-x---`, with `s` and `t` where they stand. */
export function permissions(mode: number): string {
  const bit = (mask: number, letter: string): string => ((mode & mask) === 0 ? '-' : letter)
  const special = (mask: number, execute: number, letter: string): string => {
    if ((mode & mask) === 0) return bit(execute, 'x')
    return (mode & execute) === 0 ? letter.toUpperCase() : letter
  }
  return [
    bit(0o400, 'r') + bit(0o200, 'w') + special(0o4000, 0o100, 's'),
    bit(0o040, 'r') + bit(0o020, 'w') + special(0o2000, 0o010, 's'),
    bit(0o004, 'r') + bit(0o002, 'w') + special(0o1000, 0o001, 't'),
  ].join('')
}
