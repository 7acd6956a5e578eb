import { realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import type { Warning } from '../manifest.ts'

/** The files that SQLite keeps beside a database: the log, its index, the rollback journal. */
export const sidecarSuffixes = ['-wal', '-shm', '-journal'] as const

export function sidecarsOf(path: string): string[] {
  return sidecarSuffixes.map((suffix) => path + suffix)
}

/** The sidecars that exist, with their owners. Only looked at: they are never opened here. */
export async function presentSidecars(path: string): Promise<ReadonlyMap<string, number>> {
  const owners = new Map<string, number>()
  for (const sidecar of sidecarsOf(realPath(path))) {
    try {
      owners.set(sidecar, (await stat(sidecar)).uid)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
  return owners
}

/**
 * Opening a stopped WAL database leaves a `-shm` and an empty `-wal` behind (measured). As root SQLite gives them to
 * the owner of the database; any other user cannot, and the application may then be unable to write. They are not
 * deleted, because a process may have opened the database meanwhile.
 */
export async function foreignSidecars(
  source: string,
  path: string,
  owner: number,
  before: ReadonlyMap<string, number>,
): Promise<Warning[]> {
  const warnings: Warning[] = []
  for (const [sidecar, uid] of await presentSidecars(path)) {
    if (before.has(sidecar) || uid === owner || uid !== process.geteuid?.()) continue
    const message = `${sidecar} was made by the backup and belongs to user ${uid}, not to ${owner} as the database: chown it, or back up as that user`
    warnings.push({ source, path: sidecar, code: 'sqlite-sidecar-owner', message })
  }
  return warnings
}

/** Bytes in the log of a database, which become part of a copy. */
export async function logSize(path: string): Promise<number> {
  try {
    return (await stat(`${realPath(path)}-wal`)).size
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return 0
  }
}

/** Sidecars lie beside the real file. A path that cannot be resolved stands for itself. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return path
  }
}
