import type { Edition } from './layout.ts'

/** What the name of a backup says. */
export interface ArchiveName {
  readonly edition: Edition
  /** The moment in the name; the enterprise script takes it before its snapshot, the seed’s commands after it. */
  readonly stamp: Date
  readonly format: 'gpg' | 'sealift'
}

/** The names of the application, which begin those of its archives. */
export const appNames: Readonly<Record<Edition, string>> = {
  'open-core': 'cullis-mastio-backup',
  enterprise: 'cullis-mastio-enterprise-backup',
}
const extension = { gpg: '.tar.gz.gpg', sealift: '.sealift' } as const
const pattern = /^cullis-mastio-(enterprise-)?backup-(\d{8}T\d{6}Z)(\.tar\.gz\.gpg|\.sealift)$/

/** `20260514T103025Z`: whole seconds, UTC. */
export function stampOf(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** The moment of a stamp, `undefined` for what is none. */
export function momentOf(stamp: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at.getTime()) || stampOf(at) !== stamp ? undefined : at
}

/** `cullis-mastio-backup-20260514T103025Z.tar.gz.gpg` and its like. */
export function archiveName({ edition, stamp, format }: ArchiveName): string {
  return `${appNames[edition]}-${stampOf(stamp)}${extension[format]}`
}

/** Reads a name; `undefined` for what is not the name of a backup of this application: it is never touched. */
export function parseArchiveName(name: string): ArchiveName | undefined {
  const match = pattern.exec(name)
  const stamp = momentOf(match?.[2] ?? '')
  if (match === null || stamp === undefined) return undefined
  const edition = match[1] === undefined ? 'open-core' : 'enterprise'
  return { edition, stamp, format: match[3] === extension.gpg ? 'gpg' : 'sealift' }
}

/** What the name of a folder in `backups/` says: ours, or made by the vendor’s scripts. */
export interface FolderName {
  readonly kind: 'pre-upgrade' | 'pre-bind-migration' | 'pre-restore'
  readonly stamp: Date
  /** The version upgraded to, which only the vendor puts into the name. */
  readonly version?: string
}

/** `pre-upgrade-<TS>`, `pre-restore-<TS>`; the vendor’s `pre-upgrade-<version>-<TS>`, `pre-bind-migration-<TS>`. */
export function parseFolderName(name: string): FolderName | undefined {
  const match = /^(pre-upgrade|pre-bind-migration|pre-restore)-(?:([A-Za-z0-9.-]+)-)?(\d{8}T\d{6}Z)$/.exec(
    name,
  )
  const stamp = momentOf(match?.[3] ?? '')
  if (match === null || stamp === undefined) return undefined
  const kind = match[1] as FolderName['kind']
  const version = match[2]
  if (version === undefined) return { kind, stamp }
  return kind === 'pre-upgrade' ? { kind, stamp, version } : undefined
}
