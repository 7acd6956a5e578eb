import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { atPath } from './at-path.ts'
import type { Application, Context } from './context.ts'
import { syncFolder } from './journal.ts'
import { privateFolder } from './private-folder.ts'
import type { Run } from './run.ts'
import { statusOf } from './status.ts'

/** Where the standing of an application is written: as configured, or in the state folder. */
export function statusPath(ctx: Pick<Context, 'stateDir'>, { app, statusFile }: Application): string {
  return statusFile ?? path.join(ctx.stateDir, 'status', `${app}.json`)
}

/** Has the standing written once this run is recorded, however it ends: for a monitor that reads a file. */
export function keepStatus(ctx: Context, run: Run, application: Application | undefined): void {
  if (application !== undefined) run.afterwards('the status file', () => writeStatus(ctx, application))
}

/**
 * Writes the standing in one step: who reads the file finds the earlier one or this one, never a part. A configured
 * file is for others to read (0644: it holds names, times and sizes); the one in the state folder is private.
 */
export async function writeStatus(ctx: Context, application: Application): Promise<void> {
  const file = statusPath(ctx, application)
  const folder = path.dirname(file)
  const isOwn = application.statusFile === undefined
  if (isOwn) await privateFolder(folder)
  else await mkdir(folder, { recursive: true })
  const text = `${JSON.stringify({ status: 1, ...(await statusOf(ctx, application)) }, undefined, 1)}\n`
  const part = `${file}.${ctx.pid}.part`
  try {
    const handle = await open(part, 'w', isOwn ? 0o600 : 0o644)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    throw atPath(error, part)
  }
  await syncFolder(folder)
}
