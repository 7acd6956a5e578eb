import { SealiftError } from '../errors.ts'

/** How the names of archives end: Sealift's own, and those of `gpg --symmetric` around a tar. */
export const archiveEndings = ['sealift', 'tar.gz.gpg'] as const

/** The endings within a regular expression. */
export const endingPattern = `(?:${archiveEndings.map((ending) => ending.replaceAll('.', '\\.')).join('|')})`

/**
 * Letters, digits, `.`, `_`, `-`: a name that no file system, object store, shell or remote protocol reads as anything
 * else. 190 characters leave room for what a target puts around a name while the archive is being written (a file
 * name has at most 255 bytes).
 */
const pattern = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]*\\.${endingPattern}$`)
const longest = 190

/** Whether a target lists, opens and makes an archive under this name. */
export function isObjectName(name: string): boolean {
  return name.length <= longest && pattern.test(name)
}

/** Throws TARGET_NAME_INVALID for a name that no archive can have. */
export function checkObjectName(target: string, name: string): void {
  if (!isObjectName(name)) throw new SealiftError('TARGET_NAME_INVALID', { target, name })
}
