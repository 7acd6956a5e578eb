import { chmod, mkdir } from 'node:fs/promises'

/** Makes a folder that only its owner can enter, with the parents it lacks. */
export async function privateFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return folder
}
