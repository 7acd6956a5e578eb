import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { Facts, Manifest } from '../../src/manifest.ts'
import type { TestBundle } from './mastio-bundle.ts'

/** Where the sources of a bundle lie, by their names; only what is there. */
export function livePlaces(bundle: TestBundle): Map<string, string> {
  const places = new Map([
    ['data', bundle.database],
    ['nginx-certs', bundle.nginxCerts],
    ['certs', bundle.certs],
    ['saml-keys', bundle.samlKeys],
    ['config', join(bundle.path, 'proxy.env')],
  ])
  return new Map([...places].filter(([, path]) => existsSync(path)))
}

/** A snapshot of a database that may be open elsewhere, in one step. */
export async function snapshotTo(copy: string, database: string): Promise<string> {
  using db = new DatabaseSync(database, { readOnly: true })
  await backup(db, copy, { rate: 2_147_483_647 })
  return copy
}

/** Copies of all sources in a folder of their own, as a restore stages them: the database as a snapshot. */
export async function stagedPlaces(bundle: TestBundle, folder: string): Promise<Map<string, string>> {
  mkdirSync(folder)
  const staged = new Map<string, string>()
  for (const [name, path] of livePlaces(bundle)) {
    const to = join(folder, name === 'data' ? 'mcp_proxy.db' : name === 'config' ? 'proxy.env' : name)
    if (name === 'data') await snapshotTo(to, path)
    else cpSync(path, to, { recursive: true })
    staged.set(name, to)
  }
  return staged
}

/** A manifest of the sources of a bundle, with the facts of its database. */
export function manifestOf(facts: Facts, places: ReadonlyMap<string, string> = new Map()): Manifest {
  const at = '2026-05-14T10:30:25Z'
  const common = { snapshot_at: at, versions: {}, members: 1, bytes: 1 }
  return {
    manifest: 1,
    archive_id: '00',
    kind: 'backup',
    app: 'cullis-mastio-backup',
    profile: 'mastio',
    host: 'host',
    started_at: at,
    finished_at: at,
    tool: { name: 'sealift', version: '0' },
    sources: [
      { ...common, name: 'data', kind: 'sqlite', facts },
      {
        ...common,
        name: 'config',
        kind: 'files',
        facts: {},
        place: { path: places.get('config') ?? '/srv/mastio/proxy.env', type: 'file' },
      },
    ],
    warnings: [],
  }
}
