import type { PartName } from './layout.ts'

/** Who owns a restored file: the application’s own user, or whoever owns the bundle’s folder. */
export interface Ownership {
  readonly mode: number
  readonly owner: 'application' | 'bundle'
}

/** The user and group that the containers run as; `init-permissions` gives them both folders at every start. */
export const applicationUser = { uid: 10001, gid: 10001 } as const

/**
 * Mode and owner of what a restore writes, whatever the archive says: folders of the application 0750, database and keys
 * 0600, certificates 0644, `proxy.env` 0600. `certs/` is read by another user in the container, so it stays open. A file
 * of no known kind is private. `holdsKey`: its content has a private key in it, whatever its name.
 */
export function ownershipOf(
  part: PartName,
  member: { readonly path: string; readonly type: 'file' | 'directory'; readonly holdsKey?: boolean },
): Ownership {
  const owner = part === 'certs' || part === 'config' ? 'bundle' : 'application'
  if (member.type === 'directory') return { mode: part === 'certs' ? 0o755 : 0o750, owner }
  const isPrivate = member.holdsKey === true || member.path.endsWith('.key')
  const isOpen = part === 'certs' || /\.(crt|cer|pem)$/.test(member.path)
  return { mode: isOpen && !isPrivate && part !== 'data' && part !== 'config' ? 0o644 : 0o600, owner }
}
