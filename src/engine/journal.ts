import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { atPath } from './at-path.ts'
import { privateFolder } from './private-folder.ts'

/**
 * One step of a swap. `aside` moves what is live into the dated folder: done when `to` exists. `place` moves verified
 * data to its place: done when `from` is gone. Each is one rename, so a step is done or not done, never half.
 */
export interface Move {
  readonly kind: 'aside' | 'place'
  readonly from: string
  readonly to: string
}

/** What a folder is given after the swap: one that stayed (a mount point), or one that had to be made around a file. */
export interface FolderAttributes {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeMs?: number
}

/**
 * What a restore is about to do, on disk before it does it. A run that finds one in the state `staging` removes the
 * staged data; in the state `swapping` everything was verified and durable, and it finishes the moves: that deletes
 * nothing, whatever an application wrote in between.
 */
export interface RestoreJournal {
  readonly journal: 1
  readonly app: string
  readonly run: string
  readonly state: 'staging' | 'swapping'
  /** Folders that hold staged data: removed at the end. */
  readonly staging: readonly string[]
  /** Dated folders for the old state; removed at the end if nothing went into them. */
  readonly asides: readonly string[]
  readonly moves: readonly Move[]
  readonly attributes: readonly FolderAttributes[]
}

/** Makes the journal durable before it returns: temporary name, fsync, rename, fsync of the folder. */
export async function writeJournal(stateDir: string, journal: RestoreJournal): Promise<void> {
  const folder = await privateFolder(path.join(stateDir, 'journal'))
  const file = journalPath(stateDir, journal)
  const part = `${file}.part`
  try {
    const handle = await open(part, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify(journal, undefined, 1))
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

export async function removeJournal(stateDir: string, journal: RestoreJournal): Promise<void> {
  await rm(journalPath(stateDir, journal), { force: true })
  await syncFolder(path.join(stateDir, 'journal'))
}

/** The journals that restores of this application left behind; with no `app`, those of every application. */
export async function readJournals(stateDir: string, app?: string): Promise<RestoreJournal[]> {
  const folder = path.join(stateDir, 'journal')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const journals: RestoreJournal[] = []
  for (const name of (await readdir(folder)).toSorted()) {
    if (!name.endsWith('.json') || !isOf(name, app)) continue
    journals.push(JSON.parse(await readFile(path.join(folder, name), 'utf8')) as RestoreJournal)
  }
  return journals
}

/** Removes drafts of journals that killed runs of this application left; the caller holds its lock. */
export async function sweepDrafts(stateDir: string, app: string): Promise<void> {
  const folder = path.join(stateDir, 'journal')
  for (const name of await readdir(folder)) {
    if (name.endsWith('.json.part') && isOf(name, app)) await rm(path.join(folder, name), { force: true })
  }
}

/** Whether there is a journal of this application, or the draft of one. */
export async function hasJournals(stateDir: string, app: string): Promise<boolean> {
  return (await readdir(path.join(stateDir, 'journal'))).some((name) => isOf(name, app))
}

function isOf(name: string, app: string | undefined): boolean {
  return app === undefined || name.split('.')[1] === app
}

export function journalPath(stateDir: string, { app, run }: { app: string; run: string }): string {
  return path.join(stateDir, 'journal', `restore.${app}.${run}.json`)
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    throw atPath(error, folder)
  } finally {
    await handle.close()
  }
}
