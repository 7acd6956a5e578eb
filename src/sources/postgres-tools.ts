import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSealiftError, SealiftError } from '../errors.ts'
import { run } from './process.ts'

/** An installed program of PostgreSQL. */
export interface PostgresTool {
  readonly path: string
  /** `15.18` */
  readonly version: string
  readonly major: number
}

/** Where distributions put each release beside the others, and then where the chosen one is. */
const RELEASES = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/postgresql']
const ONES = ['/usr/local/pgsql/bin', '/usr/local/bin', '/usr/bin']

/**
 * The newest installed program of this name that is not older than `major`: an older one refuses a newer server's data.
 * TOOL_TOO_OLD names both releases; PROCESS_NOT_FOUND where there is none at all.
 */
export async function findTool(
  name: 'pg_dump' | 'pg_restore' | 'psql',
  major: number,
  signal: AbortSignal,
  folders?: readonly string[],
): Promise<PostgresTool> {
  const found: PostgresTool[] = []
  for (const folder of folders ?? (await toolFolders())) {
    const tool = await versionOf(join(folder, name), signal)
    if (tool !== undefined) found.push(tool)
  }
  const newest = found.sort((one, other) => other.major - one.major)[0]
  if (newest === undefined) throw new SealiftError('PROCESS_NOT_FOUND', { command: name })
  if (newest.major < major)
    throw new SealiftError('TOOL_TOO_OLD', { tool: name, found: newest.version, needed: major })
  return newest
}

async function toolFolders(): Promise<string[]> {
  const folders: string[] = []
  for (const parent of RELEASES) {
    const releases = await readdir(parent).catch(() => [])
    folders.push(...releases.filter((name) => /^\d+$/.test(name)).map((name) => join(parent, name, 'bin')))
  }
  return [...folders, ...ONES]
}

async function versionOf(path: string, signal: AbortSignal): Promise<PostgresTool | undefined> {
  try {
    const said = await run(path, ['--version'], { signal, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } })
    const version = /\(PostgreSQL\) (\d+[^\s]*)/.exec(said.toString())?.[1]
    return version === undefined ? undefined : { path, version, major: Number.parseInt(version, 10) }
  } catch (error) {
    // A wrapper without a release behind it is no program.
    if (isSealiftError(error, 'PROCESS_NOT_FOUND') || isSealiftError(error, 'PROCESS_FAILED'))
      return undefined
    throw error
  }
}
