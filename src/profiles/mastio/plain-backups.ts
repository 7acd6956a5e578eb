import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { Places } from '../examination.ts'
import type { PlainBackup } from '../live.ts'
import { momentOf } from './archive-name.ts'
import { databaseName } from './layout.ts'

const before: readonly (readonly [RegExp, (version: string) => string])[] = [
  [/^pre-upgrade-(\d{8}T\d{6}Z)$/, () => 'before an upgrade'],
  [
    /^pre-upgrade-(?<version>[A-Za-z0-9.-]+)-(\d{8}T\d{6}Z)$/,
    (version) => `before the upgrade to ${version}`,
  ],
  [/^pre-bind-migration-(\d{8}T\d{6}Z)$/, () => 'before the move to bind mounts'],
]

/**
 * The folders in `backups/` that the bundle's own scripts leave (mastio.md §8), newest first: `pre-upgrade-<version>-<TS>`
 * names the version that was upgraded to. They are cleartext without a manifest, and their database was copied live with
 * its WAL: whether it is whole shows only when it is opened.
 */
export async function plainBackupsOf(live: Places): Promise<readonly PlainBackup[]> {
  const config = live.get('config')
  if (config === undefined) return []
  const folder = join(dirname(config), 'backups')
  const found: PlainBackup[] = []
  for (const id of await namesIn(folder)) {
    const [match, say] =
      before.map(([form, words]) => [form.exec(id), words] as const).find(([m]) => m !== null) ?? []
    if (match === undefined || match === null || say === undefined) continue
    const places = await placesIn(join(folder, id))
    if (!places.has('data')) continue
    const taken = momentOf(/\d{8}T\d{6}Z$/.exec(id)?.[0] ?? '')
    found.push({
      id,
      path: join(folder, id),
      what: say(match.groups?.['version'] ?? ''),
      taken_at: taken?.toISOString() ?? null,
      places,
    })
  }
  return found.toSorted((a, b) => ((a.taken_at ?? '') < (b.taken_at ?? '') ? 1 : -1))
}

async function placesIn(folder: string): Promise<Places> {
  const places = new Map<string, string>()
  for (const path of [join(folder, 'data', databaseName), join(folder, databaseName)]) {
    if (!places.has('data') && (await is(path, 'file'))) places.set('data', path)
  }
  for (const name of ['nginx-certs', 'certs', 'saml-keys']) {
    if (await is(join(folder, name), 'folder')) places.set(name, join(folder, name))
  }
  if (await is(join(folder, 'proxy.env'), 'file')) places.set('config', join(folder, 'proxy.env'))
  return places
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  })
}

async function is(path: string, what: 'file' | 'folder'): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return what === 'file' ? found?.isFile() === true : found?.isDirectory() === true
}
