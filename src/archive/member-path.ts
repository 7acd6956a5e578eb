import { SealiftError } from '../errors.ts'
import type { MemberType } from '../member.ts'

/** UTF-8 bytes of a member path or link target (archive-v1 §8). */
export const PATH_LIMIT = 4_096

/** The last two members of every archive (archive-v1 §5). */
export const MANIFEST_PATH = 'MANIFEST.json'
export const CHECKSUMS_PATH = 'SHA256SUMS'

/** Why no archive may hold a member of this path (archive-v1 §5 [P-1]); undefined when it may. */
export function pathRefusal(path: string): string | undefined {
  if (path === '') return 'its name is empty'
  if (path.startsWith('/')) return 'its name is absolute'
  if (/^[A-Za-z]:/.test(path)) return 'its name begins with a drive'
  if (path.includes('\0')) return 'its name holds a zero byte'
  if (!path.isWellFormed()) return 'its name is not Unicode text'
  if (Buffer.byteLength(path) > PATH_LIMIT) return `its name is longer than ${PATH_LIMIT} bytes`
  if (path.includes('//') || path.endsWith('/')) return 'its name has an empty part'
  const parts = path.split('/')
  if (parts.includes('..')) return 'its name has a part ".."'
  if (parts.includes('.')) return 'its name has a part "."'
  return undefined
}

/** A path for a message: as it is where it prints as it is, otherwise quoted. */
export function shownPath(path: string): string {
  return /^[^\p{C}\s"]+( [^\p{C}\s"]+)*$/u.test(path) ? path : JSON.stringify(path)
}

/** Refuses a member path that archive-v1 §5 does not allow: MEMBER_REFUSED. */
export function checkMemberPath(path: string): void {
  const reason = pathRefusal(path)
  if (reason !== undefined) throw new SealiftError('MEMBER_REFUSED', { member: shownPath(path), reason })
}

/** Why a member of this type may not have this link; undefined when it may. Hard links are paths of members. */
export function linkRefusal(type: MemberType, link: string | undefined): string | undefined {
  if (type === 'file' || type === 'directory') {
    return link === undefined ? undefined : `a ${type} has no link target`
  }
  if (link === undefined || link === '') return 'its link target is empty'
  if (link.includes('\0') || !link.isWellFormed()) return 'its link target is not Unicode text'
  if (Buffer.byteLength(link) > PATH_LIMIT) return `its link target is longer than ${PATH_LIMIT} bytes`
  return undefined
}
