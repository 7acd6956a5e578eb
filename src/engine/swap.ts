import { chmod, chown, lstat, mkdir, rename, rmdir, utimes } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { FolderAttributes, Move, RestoreJournal } from './journal.ts'
import { syncFolder } from './journal.ts'
import { removeTree } from './remove-tree.ts'

/**
 * Makes the moves of a journal in order. When one fails, those already made are undone in reverse and the error is
 * thrown: the old state is whole again. RECOVERY_NEEDED when even that failed; then nothing may be deleted.
 */
export async function swap(journal: RestoreJournal, journalPath: string): Promise<void> {
  const made: Move[] = []
  const folders: string[] = []
  try {
    for (const aside of journal.asides) await mkdir(aside, { recursive: true, mode: 0o700 })
    for (const move of journal.moves) {
      folders.push(...(await makeFolders(path.dirname(move.to))))
      await refuseOccupied(move)
      await rename(move.from, move.to)
      made.push(move)
    }
    await syncMoves(journal.moves, folders)
  } catch (error) {
    await undo(made, folders, journalPath, error)
    throw error
  }
}

/** Makes a folder with the parents it lacks; returns the new ones, outermost first. */
async function makeFolders(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true })
  const made: string[] = []
  if (first === undefined) return made
  for (let at = folder; at.length >= first.length; at = path.dirname(at)) made.unshift(at)
  return made
}

async function undo(
  made: readonly Move[],
  folders: readonly string[],
  journal: string,
  cause: unknown,
): Promise<void> {
  try {
    for (const move of made.toReversed()) await rename(move.to, move.from)
    await removeEmpty(folders.toReversed())
    await syncMoves(made)
  } catch (error) {
    const reason = `${reasonOf(cause)}; then, while it was undone: ${reasonOf(error)}`
    throw new SealiftError('RECOVERY_NEEDED', { journal, reason }, error)
  }
}

/**
 * Finishes a swap that was cut off, from the first move that was not made. RECOVERY_NEEDED, with nothing deleted, when
 * the places were taken meanwhile.
 */
export async function finishSwap(journal: RestoreJournal, journalPath: string): Promise<void> {
  for (const aside of journal.asides) await mkdir(aside, { recursive: true, mode: 0o700 })
  const folders: string[] = []
  for (const move of journal.moves.slice(await movesMade(journal.moves))) {
    const done = move.kind === 'aside' ? await exists(move.to) : !(await exists(move.from))
    if (done || (move.kind === 'aside' && !(await exists(move.from)))) continue
    if (await exists(move.to)) {
      const reason = `${move.to} is there again, so ${move.from} cannot go to its place`
      throw new SealiftError('RECOVERY_NEEDED', { journal: journalPath, reason })
    }
    folders.push(...(await makeFolders(path.dirname(move.to))))
    await rename(move.from, move.to)
  }
  await syncMoves(journal.moves, folders)
}

/**
 * How many moves were certainly made: all up to the last `place` whose data is gone from the staging, where nobody else
 * works. What was set aside tells less: someone may have removed it since, and what is at its place is then the new state.
 */
async function movesMade(moves: readonly Move[]): Promise<number> {
  for (const [index, move] of [...moves.entries()].toReversed()) {
    if (move.kind === 'place' && !(await exists(move.from))) return index + 1
  }
  return 0
}

/** What is left to do when all is in its place, after a swap as after a recovered one. */
export async function tidySwap(journal: RestoreJournal, privileged: boolean): Promise<void> {
  for (const folder of journal.attributes) await setAttributes(folder, privileged)
  await removeStaging(journal)
}

/** Removes the staged data, and of the dated folders what is empty: an empty old folder needs no keeping. */
export async function removeStaging(journal: RestoreJournal): Promise<void> {
  for (const folder of journal.staging) await removeTree(folder)
  await removeEmpty(journal.moves.filter((move) => move.kind === 'aside').map((move) => move.to))
  await removeEmpty(journal.asides)
}

async function setAttributes(folder: FolderAttributes, privileged: boolean): Promise<void> {
  if (privileged) await chown(folder.path, folder.uid, folder.gid)
  await chmod(folder.path, folder.mode)
  if (folder.mtimeMs === undefined) return
  await utimes(folder.path, folder.mtimeMs / 1000, folder.mtimeMs / 1000)
}

async function refuseOccupied(move: Move): Promise<void> {
  if (await exists(move.to)) {
    throw new SealiftError('DESTINATION_REFUSED', {
      path: move.to,
      reason: 'something appeared there meanwhile',
    })
  }
}

async function syncMoves(moves: readonly Move[], made: readonly string[] = []): Promise<void> {
  const touched = moves.flatMap((move) => [path.dirname(move.from), path.dirname(move.to)])
  const folders = new Set([...touched, ...made.map((folder) => path.dirname(folder))])
  for (const folder of folders) if (await exists(folder)) await syncFolder(folder)
}

async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await rmdir(folder)
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
    }
  }
}

/** Whether there is anything of that name, also a dangling symlink. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}
