import { copyFile } from 'node:fs/promises'
import path from 'node:path'
import type { Places } from '../profiles/examination.ts'
import type { Context } from './context.ts'
import { copyLive } from './live-copy.ts'
import type { Looked } from './live-copy.ts'
import { exists } from './swap.ts'

/**
 * A state that was set aside, to be looked at: files where they lie, each database as a copy made from a copy of its
 * file with its sidecars. What was set aside is evidence: nothing of it is opened by a database, which would change it.
 */
export async function copySetAside(
  ctx: Context,
  looked: readonly Looked[],
  folders: readonly string[],
  scratch: string,
): Promise<Places> {
  const found: Looked[] = []
  for (const { name, kind, path: live } of looked) {
    const at = await setAsideAt(live, folders)
    if (at === undefined) continue
    const driver = ctx.sourceDrivers[kind]
    if (driver?.copy === undefined) found.push({ name, kind, path: at })
    else
      found.push({
        name,
        kind,
        path: await withSidecars(at, path.join(scratch, `${name}.set-aside`), driver),
      })
  }
  return copyLive(ctx, found, scratch)
}

/** Where a source's old state lies: in a dated folder beside its place, or in one inside a folder that stays itself. */
async function setAsideAt(live: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const beside = path.join(folder, path.basename(live))
    if (await exists(beside)) return beside
    if (path.dirname(folder) === live) return folder
  }
  return undefined
}

/** Copies a database file that nobody writes to, with its sidecars, to be opened there. Gives `to`. */
export async function withSidecars(
  at: string,
  to: string,
  driver: Context['sourceDrivers'][string],
): Promise<string> {
  await copyFile(at, to)
  const sidecars = driver.staleSidecars({ path: at, type: 'file' })
  for (const sidecar of sidecars) {
    if (await exists(sidecar)) await copyFile(sidecar, `${to}${sidecar.slice(at.length)}`)
  }
  return to
}
