import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Places } from '../examination.ts'
import type { PlainFolder } from '../live.ts'
import { valueOf } from './env-file.ts'
import { envAt } from './examine-places.ts'
import { databaseName } from './layout.ts'
import { upgradeTo } from './stack.ts'

/**
 * `backups/pre-upgrade-<TS>/` (mastio.md §8): the sources where the seed has them, `proxy.env` as it is before the version
 * is pinned and with its license, the bundle's own scripts, and from which version to which.
 */
export async function plainFolderOf(
  live: Places,
  command: readonly string[],
  stamp: string,
): Promise<PlainFolder | undefined> {
  const config = live.get('config')
  if (config === undefined) return undefined
  const bundle = dirname(config)
  const names = (await readdir(bundle, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(sh|ya?ml)$/.test(entry.name))
    .map(({ name }) => name)
  return {
    parent: join(bundle, 'backups'),
    name: `pre-upgrade-${stamp}`,
    own: /^pre-upgrade-\d{8}T\d{6}Z$/,
    layout: new Map([
      ['data', `data/${databaseName}`],
      ['nginx-certs', 'nginx-certs'],
      ['certs', 'certs'],
      ['saml-keys', 'saml-keys'],
      ['config', 'proxy.env'],
    ]),
    fromLive: ['config'],
    also: new Map(names.map((name) => [name, join(bundle, name)])),
    about: {
      old_version: valueOf(await envAt(config), 'CULLIS_MASTIO_VERSION') || null,
      new_version: upgradeTo(command) ?? null,
    },
  }
}
