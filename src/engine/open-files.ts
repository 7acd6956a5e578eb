import { readdir, readFile, stat } from 'node:fs/promises'
import { SealiftError } from '../errors.ts'

/**
 * Refuses to replace a database that a process has open: it would go on writing into the file that was set aside
 *. Looks through /proc, by device and inode, so that a container's own name
 * for the file does not hide it; where there is no /proc, or another user's processes are closed to us, it sees less.
 */
export async function refuseOpenFiles(paths: readonly string[], ownPid: number): Promise<void> {
  const wanted = new Map<string, string>()
  for (const file of paths) {
    const identity = await identityOf(file)
    if (identity !== undefined) wanted.set(identity, file)
  }
  if (wanted.size === 0) return
  for (const pid of await processes()) {
    if (pid === ownPid) continue
    for (const descriptor of await list(`/proc/${pid}/fd`)) {
      const identity = await identityOf(`/proc/${pid}/fd/${descriptor}`)
      const file = identity === undefined ? undefined : wanted.get(identity)
      if (file === undefined) continue
      const reason = `process ${pid} (${await nameOf(pid)}) has it open; stop the application first`
      throw new SealiftError('DESTINATION_REFUSED', { path: file, reason })
    }
  }
}

async function processes(): Promise<number[]> {
  return (await list('/proc')).map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 0)
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

async function nameOf(pid: number): Promise<string> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown')
  return name.trim()
}

async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
