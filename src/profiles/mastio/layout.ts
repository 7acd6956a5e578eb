import { dirname, resolve } from 'node:path'
import type { Manifest } from '../../manifest.ts'
import { valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'

/** Where the parts of a bundle lie on the host: absolute paths. The names are those of the sources. */
export interface Layout {
  readonly data: string
  readonly 'nginx-certs': string
  readonly certs: string
  readonly 'saml-keys': string
  readonly config: string
}

export type PartName = keyof Layout

export const databaseName = 'mcp_proxy.db'

/**
 * Finds the folders through `proxy.env`, as Compose does; relative ones count from the bundle's own folder. Without the
 * file, and where it names none, they lie beside it.
 */
export function layoutOf(bundle: string, env: EnvFile): Layout {
  const folder = (key: string, usual: string): string => resolve(bundle, valueOf(env, key) || usual)
  return {
    data: folder('MASTIO_DATA_DIR', 'data'),
    'nginx-certs': folder('MASTIO_NGINX_CERTS_DIR', 'nginx-certs'),
    certs: folder('CULLIS_CERTS_DIR', 'certs'),
    'saml-keys': folder('MASTIO_SAML_KEYS_DIR', 'saml-keys'),
    config: resolve(bundle, 'proxy.env'),
  }
}

/** The folder of the bundle, as the archive recorded it. */
export function bundleOf({ sources }: Manifest): string | undefined {
  const config = sources.find(({ name }) => name === 'config')?.place?.path
  return config === undefined ? undefined : dirname(config)
}

export type Edition = 'open-core' | 'enterprise'

const usualProject: Readonly<Record<Edition, string>> = {
  'open-core': 'cullis-mastio',
  enterprise: 'cullis-mastio-enterprise',
}

/** The Compose project: the one that is named, else that of the edition. */
export function projectOf(env: EnvFile, compose: string): string {
  return namedProject(env, compose) ?? usualProject[editionOf(env, compose)]
}

function namedProject(env: EnvFile, compose: string): string | undefined {
  const name = valueOf(env, 'COMPOSE_PROJECT_NAME') || /^name:\s*["']?([\w-]+)/m.exec(compose)?.[1]
  return name === '' ? undefined : name
}

/** The edition that a Compose file and `proxy.env` belong to: by project name, by image, by a folder of SAML keys. */
export function editionOf(env: EnvFile, compose: string): Edition {
  const project = namedProject(env, compose)
  if (project === usualProject.enterprise) return 'enterprise'
  if (project === usualProject['open-core']) return 'open-core'
  const images = /^\s*image:\s*\S*cullis-mastio-enterprise[:@"'\s]/m
  if (images.test(`${compose}\n`)) return 'enterprise'
  return (valueOf(env, 'MASTIO_SAML_KEYS_DIR') ?? '') === '' ? 'open-core' : 'enterprise'
}

/** What a file in `data/` is to a backup. */
export type DataFile = 'database' | 'sidecar' | 'lock' | 'leftover' | 'unknown'

/** Tells the files of `data/` apart by name: sidecars, locks (`mcp_proxy.db.<task>.lock`) and leftovers stay out. */
export function dataFileKind(name: string): DataFile {
  if (name === databaseName) return 'database'
  if (/^mcp_proxy\.db(\.snapshot)?-(wal|shm|journal)$/.test(name)) return 'sidecar'
  if (/^mcp_proxy\.db\.[A-Za-z0-9_-]+\.lock$/.test(name)) return 'lock'
  return name === `${databaseName}.snapshot` ? 'leftover' : 'unknown'
}

/** The names in `data/` that no archive takes, as patterns for a source of files. */
export const excludedInData = [
  'mcp_proxy.db',
  'mcp_proxy.db-wal',
  'mcp_proxy.db-shm',
  'mcp_proxy.db-journal',
  'mcp_proxy.db.*.lock',
  'mcp_proxy.db.snapshot',
  'mcp_proxy.db.snapshot-*',
] as const
