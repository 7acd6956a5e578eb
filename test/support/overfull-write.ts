import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { isSealiftError, reasonOf, systemCode } from '../../src/errors.ts'
import { local } from '../../src/targets/local.ts'

/** How a write ended for which there was no room: the system's code, our error, and what is in the folder then. */
export interface OverfullWrite {
  readonly system: string | undefined
  readonly code: string
  readonly message: string
  readonly residue: readonly string[]
}

const script = fileURLToPath(import.meta.url)

/**
 * Writes 8 MiB to the target `local` where only about 2 MiB fit: a tmpfs mounted for this alone, in a mount namespace
 * that ends with its process, or else, where mounting is not allowed, under a file-size limit (EFBIG).
 */
export function overfullWrite(folder: string): { on: 'tmpfs' | 'limit'; end: OverfullWrite } {
  const mounted = 'mount -t tmpfs -o size=2m tmpfs "$2" && exec "$0" "$1" "$2"'
  const onTmpfs = spawnSync('unshare', ['--mount', 'sh', '-c', mounted, process.execPath, script, folder])
  if (onTmpfs.status === 0) return { on: 'tmpfs', end: JSON.parse(String(onTmpfs.stdout)) }
  const limited = 'ulimit -f 2048; exec "$0" "$1" "$2"'
  const onLimit = spawnSync('sh', ['-c', limited, process.execPath, script, folder])
  if (onLimit.status !== 0) throw new Error(String(onLimit.stderr))
  return { on: 'limit', end: JSON.parse(String(onLimit.stdout)) }
}

if (import.meta.main) {
  const path = process.argv[2] ?? ''
  const end = await writeTooMuch(path)
  const residue = await readdir(path)
  process.stdout.write(JSON.stringify({ ...end, residue }))
}

async function writeTooMuch(path: string): Promise<Omit<OverfullWrite, 'residue'>> {
  try {
    await using writer = await local.open('disk', { path }).create('a.sealift')
    for (let part = 0; part < 8; part++) writer.stream.write(Buffer.alloc(1024 * 1024, part))
    await writer.commit()
    return { system: undefined, code: 'none', message: 'it was written' }
  } catch (error) {
    if (!isSealiftError(error)) throw error
    return { system: systemCode(error.cause), code: error.code, message: reasonOf(error) }
  }
}
