import { constants } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import { Secret } from '../secret.ts'

/** A passphrase or key file is never longer. */
export const keyFileLimit = 4096

export interface KeyFileRules {
  /** The effective user: this one's files and root's are accepted. */
  readonly uid: number
  /**
   * A systemd credential: its folder is private to the service, and where the service runs as another user systemd
   * grants the file by an access list, which shows as a group bit. So group may read here, and nothing more.
   */
  readonly credential?: boolean
  /** For a file that archives are sealed with: folders where it must not lie, since whoever takes them has the key too. */
  readonly apartFrom?: readonly string[]
}

/**
 * The one line of a passphrase file: a regular file, no symlink, owned by root or the caller, without group or other
 * bits, at most 4 KiB. Each breach is KEY_FILE_REFUSED with its own reason; nothing there is KEY_FILE_NOT_FOUND.
 * What was judged is the opened file itself, so it cannot be swapped between the look and the read.
 */
export async function readKeyFile(path: string, rules: KeyFileRules): Promise<Secret> {
  return new Secret(singleLine(await readGuarded(path, rules), path))
}

/** The text of a file under the same rules, of any number of lines: what `keygen` wrote. */
export async function readGuarded(path: string, rules: KeyFileRules): Promise<string> {
  for (const folder of rules.apartFrom ?? []) {
    if (await isWithin(path, folder)) throw refused(path, `it lies in ${folder}: keep key and data apart`)
  }
  await using file = await openGuarded(path)
  const { mode, uid, isRegular } = await judged(file)
  if (!isRegular) throw refused(path, 'it is not a regular file')
  if (uid !== 0 && uid !== rules.uid) {
    throw refused(path, `it belongs to user ${uid}, not to root or the caller (user ${rules.uid})`)
  }
  const tooOpen = mode & (rules.credential === true ? 0o037 : 0o077)
  if (tooOpen !== 0) {
    const whose =
      (tooOpen & 0o007) === 0 ? 'its group' : (tooOpen & 0o070) === 0 ? 'others' : 'its group and others'
    throw refused(path, `mode ${mode.toString(8).padStart(4, '0')} gives ${whose} access`)
  }
  if ((mode & 0o7100) !== 0)
    throw refused(path, `mode ${mode.toString(8).padStart(4, '0')} is none of a key file: 0400 or 0600`)
  return decode(await readAtMost(file, keyFileLimit, path), path)
}

/** The single line of a text; `name` is what a refusal calls it. A last line end is not part of it. */
export function singleLine(text: string, name: string): string {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text
  if (line === '' || line === '\r') throw refused(name, 'it is empty')
  if (line.includes('\n')) throw refused(name, 'it has more than one line')
  if (line.endsWith('\r')) throw refused(name, 'its line ends with a carriage return (a Windows line end)')
  if (line.includes('\0')) throw refused(name, 'it holds a zero byte')
  return line
}

export function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refused(name, 'it is not UTF-8 text')
  }
}

export function refused(path: string, reason: string): SealiftError {
  return new SealiftError('KEY_FILE_REFUSED', { path, reason })
}

async function openGuarded(path: string): Promise<FileHandle> {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
  try {
    return await open(path, flags)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new SealiftError('KEY_FILE_NOT_FOUND', { path }, error)
    if (code === 'ELOOP') throw refused(path, 'it is a symlink')
    if (code === 'ENXIO') throw refused(path, 'it is not a regular file')
    if (code === 'EACCES' || code === 'EPERM') throw refused(path, 'the caller may not read it')
    throw new SealiftError('IO_FAILED', { path, operation: 'open', reason: reasonOf(error) }, error)
  }
}

/** By their real folders, so that no symlink hides it. */
async function isWithin(path: string, folder: string): Promise<boolean> {
  const [inner, outer] = [join(await realFolder(dirname(path)), basename(path)), await realFolder(folder)]
  return inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}

async function realFolder(folder: string): Promise<string> {
  // One that is not there holds nothing.
  return await realpath(folder).catch(() => resolve(folder))
}

async function judged(file: FileHandle): Promise<{ mode: number; uid: number; isRegular: boolean }> {
  const stats = await file.stat()
  return { mode: stats.mode & 0o7777, uid: stats.uid, isRegular: stats.isFile() }
}

async function readAtMost(file: FileHandle, limit: number, path: string): Promise<Uint8Array> {
  const buffer = Buffer.alloc(limit + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) return buffer.subarray(0, length)
    length += bytesRead
  }
  throw refused(path, `it is longer than ${limit} bytes`)
}
