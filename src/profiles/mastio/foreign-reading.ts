import { join } from 'node:path'
import { SealiftError } from '../../errors.ts'
import type { Member } from '../../member.ts'
import type { ForeignContents, ForeignPlacement, ForeignReading, ForeignSeen } from '../foreign.ts'
import { readEnv } from './env-file.ts'
import type { PartName } from './layout.ts'
import { databaseName, layoutOf } from './layout.ts'
import { parseManifestText } from './manifest-txt.ts'
import type { ManifestText } from './manifest-txt.ts'
import { applicationUser, ownershipOf } from './ownership.ts'

/** The layout of the vendor's page, and that of the enterprise script. */
export type LayoutName = 'seed' | 'enterprise'

/** What the database is called in each: it tells the two apart (mastio.md §5). */
export const databaseIn: Readonly<Record<LayoutName, string>> = {
  seed: `data/${databaseName}.snapshot`,
  enterprise: `data/${databaseName}`,
}
export const manifestText = 'MANIFEST.txt'
const folders: readonly PartName[] = ['nginx-certs', 'certs', 'saml-keys']

/**
 * Reads an archive of the vendor's: the layout of the seed's commands and that of the enterprise script, told apart by
 * the name of the database. Modes and owners are this application's, whatever the archive says (mastio.md §9.1, 8).
 */
export function readForeign(): ForeignReading {
  const databases: string[] = []
  const found = new Set<PartName>()
  let hasManifest = false
  return {
    place(member) {
      const { path, type } = member
      if (path === 'data' && type === 'directory') return undefined
      if (path === manifestText && type === 'file') {
        hasManifest = true
        return { ...placed('config', member), whole: true }
      }
      if (path === 'proxy.env' && type === 'file') {
        found.add('config')
        return { ...placed('config', member), path: 'config/proxy.env', whole: true }
      }
      if (type === 'file' && Object.values(databaseIn).includes(path)) {
        if (databases.push(path) > 1) throw refused(path, `the archive has ${databases[0]} already`)
        return { ...placed('data', member), path: `data/${databaseName}` }
      }
      const part = folders.find((name) =>
        path === name ? type === 'directory' : path.startsWith(`${name}/`),
      )
      if (part === undefined) throw refused(path, 'no backup of Cullis Mastio has it')
      found.add(part)
      return { ...placed(part, member), path }
    },
    finish(seen) {
      const [database] = databases
      if (database === undefined)
        throw incomplete(`it has no database (${Object.values(databaseIn).join(', ')})`)
      const layout: LayoutName = database === databaseIn.enterprise ? 'enterprise' : 'seed'
      if (layout === 'enterprise' && !hasManifest) throw incomplete(`it has no ${manifestText}`)
      if (layout === 'seed' && hasManifest)
        throw refused(manifestText, `an archive with ${database} has none`)
      const said = layout === 'enterprise' ? checkSums(seen) : undefined
      return contentsOf(layout, found, seen, said)
    },
  }
}

function placed(part: PartName, { path, type }: Member): ForeignPlacement {
  const { mode, owner } = ownershipOf(part, { path, type: type === 'directory' ? type : 'file' })
  return { mode, ...(owner === 'application' ? applicationUser : { uid: 0, gid: 0 }) }
}

/** Every file must be in the list with its own checksum, and the list must have no other. */
function checkSums({ sums, texts }: ForeignSeen): ManifestText {
  const said = parseManifestText(texts.get(manifestText)?.toString('utf8') ?? '')
  if (typeof said === 'string') throw refused(manifestText, said)
  for (const [path, sum] of sums) {
    if (path === manifestText) continue
    const listed = said.sums.get(path)
    if (listed === undefined) throw refused(path, `${manifestText} does not list it`)
    if (listed !== sum) throw refused(path, `its SHA-256 is not the one in ${manifestText}`)
  }
  for (const path of said.sums.keys())
    if (!sums.has(path)) throw incomplete(`${path} is in its ${manifestText} and not in it`)
  return said
}

function contentsOf(
  layout: LayoutName,
  found: ReadonlySet<PartName>,
  { texts }: ForeignSeen,
  said: ManifestText | undefined,
): ForeignContents {
  const env = readEnv(texts.get('proxy.env')?.toString('latin1') ?? '')
  const folderOf = (name: PartName): { mode: number; uid: number; gid: number } => {
    const { mode, owner } = ownershipOf(name, { path: name, type: 'directory' })
    return { mode, ...(owner === 'application' ? applicationUser : { uid: 0, gid: 0 }) }
  }
  return {
    layout,
    ...(said?.takenAt === undefined ? {} : { takenAt: said.takenAt }),
    ...(said?.host === undefined ? {} : { host: said.host }),
    sources: [
      { name: 'data', kind: 'sqlite', type: 'file', folder: folderOf('data') },
      ...folders
        .filter((name) => found.has(name))
        .map((name) => ({ name, kind: 'files', type: 'directory', folder: folderOf(name) }) as const),
      ...(found.has('config') ? [{ name: 'config', kind: 'files', type: 'file' } as const] : []),
    ],
    places(folder) {
      const layoutThere = layoutOf(folder, env)
      return new Map(Object.entries({ ...layoutThere, data: join(layoutThere.data, databaseName) }))
    },
  }
}

function refused(member: string, reason: string): SealiftError {
  return new SealiftError('MEMBER_REFUSED', { member, reason })
}

function incomplete(reason: string): SealiftError {
  return new SealiftError('FOREIGN_REFUSED', { reason })
}
