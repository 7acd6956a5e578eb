import type { RsyncRemote } from './rsync-remote.ts'

/** One name in the folder. */
export interface RsyncEntry {
  readonly name: string
  readonly folder: boolean
  readonly size: number
  /** Whole seconds: rsync lists no more. */
  readonly modifiedAt: Date
}

const line = /^([-d])\S{9} +(\d+) (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) (.+)$/

/** The files and folders whose names match one of the patterns (rsync(1), Pattern matching rules). */
export async function listEntries(
  remote: RsyncRemote,
  patterns: readonly string[],
  operation: string,
  signal?: AbortSignal,
): Promise<RsyncEntry[]> {
  const filters = [...patterns.map((pattern) => `--include=/${pattern}`), '--exclude=*']
  const args = ['--list-only', '--dirs', '--no-human-readable', ...filters, remote.place]
  const lines = (await remote.run(operation, args, signal)) ?? []
  return lines.flatMap((text) => entryOf(text) ?? [])
}

/** Undefined for the folder itself, a symlink, a device. Other lines are none: a name is what matched a pattern. */
export function entryOf(text: string): RsyncEntry | undefined {
  const [, type, size, year, month, day, time, name] = line.exec(text) ?? []
  if (name === undefined || name === '.') return undefined
  const modifiedAt = new Date(`${year}-${month}-${day}T${time}Z`)
  return { name, folder: type === 'd', size: Number(size), modifiedAt }
}
