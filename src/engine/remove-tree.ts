import { chmod, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { systemCode } from '../errors.ts'

/** Removes a staged tree. Who is not root must first open the folders that were given modes which close them to him. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error
    await openFolders(folder)
    await rm(folder, { recursive: true, force: true })
  }
}

async function openFolders(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(path.join(folder, entry.name))
  }
}
