import { constants } from 'node:fs'
import { lstat, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../profile.ts'

/** A private key in PEM is far smaller; a larger file is not read. */
const largestKey = 64 * 1024
const pemKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/
const groupAndOthers = 0o077
const namesShown = 5

/**
 * Private keys among restored files that group or others may use. The modes are those of the backup, so this was so
 * before as well: it is `attention`, and stops nothing. A key counts as such by its PEM armour or the name `*.key`.
 */
export const exposedKeys: Check = {
  name: 'private-keys',
  async run(staged, manifest, signal) {
    let keys = 0
    const exposed: string[] = []
    for (const source of manifest.sources) {
      const place = staged.get(source.name)
      if (source.kind !== 'files' || place === undefined) continue
      for await (const { path, mode } of smallFiles(place, '', signal)) {
        if (!(await isPrivateKey(join(place, path)))) continue
        keys += 1
        if ((mode & groupAndOthers) === 0) continue
        exposed.push(
          `${source.name}${path === '' ? '' : `/${path}`} (${(mode & 0o7777).toString(8).padStart(4, '0')})`,
        )
      }
    }
    if (exposed.length === 0) {
      const detail =
        keys === 0 ? 'no private key among the files' : `${keys} of ${keys} private keys are private`
      return [{ check: this.name, verdict: 'ok', detail }]
    }
    const more = exposed.length > namesShown ? ` and ${exposed.length - namesShown} more` : ''
    const names = exposed.toSorted().slice(0, namesShown).join(', ')
    const detail = `${exposed.length} of ${keys} private keys can be used by group or others: ${names}${more}`
    return [{ check: this.name, verdict: 'attention', detail }]
  },
}

interface SmallFile {
  /** Relative to the root, `''` for the root itself. */
  readonly path: string
  readonly mode: number
}

/** Regular files that are small enough for a key. Symlinks are not followed; a folder is not held in memory. */
async function* smallFiles(root: string, path: string, signal: AbortSignal): AsyncGenerator<SmallFile> {
  signal.throwIfAborted()
  const stat = await lstat(join(root, path))
  if (stat.isDirectory()) {
    for await (const { name } of await opendir(join(root, path)))
      yield* smallFiles(root, join(path, name), signal)
  } else if (stat.isFile() && stat.size > 0 && stat.size <= largestKey) yield { path, mode: stat.mode }
}

async function isPrivateKey(path: string): Promise<boolean> {
  if (path.endsWith('.key')) return true
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(largestKey), 0, largestKey, 0)
  return pemKey.test(buffer.toString('latin1', 0, bytesRead))
}
