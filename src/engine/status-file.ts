import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { takeTurn } from '../catalog/turn.ts'
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
  const locks = await privateFolder(path.join(ctx.stateDir, 'locks'))
  const text = `${JSON.stringify({ status: 1, ...(await statusOf(ctx, application)) }, undefined, 1)}\n`
  {
    // One at a time: the draft has one name, so that a killed run leaves at most one, and the next one takes it.
    using _turn = takeTurn(path.join(locks, 'sealift-status.lock'))
    replace(file, text, isOwn ? 0o600 : 0o644)
  }
  await syncFolder(folder)
}

function replace(file: string, text: string, mode: number): void {
  const part = `${file}.part`
  try {
    const handle = openSync(part, 'w', mode)
    try {
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw atPath(error, part)
  }
}
