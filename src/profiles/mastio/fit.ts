import { constants } from 'node:fs'
import { lchown, open, opendir, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { Places } from '../examination.ts'
import { applicationUser, ownershipOf } from './ownership.ts'
import type { Ownership } from './ownership.ts'
import type { PartName } from './layout.ts'

interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface Fitting {
  readonly staged: Places
  /** The folder that the bundle has on this host; its owner gets `certs/` and `proxy.env`. */
  readonly bundle: string | undefined
  /** Whether owners may be given. */
  readonly privileged: boolean
}

/** Whose rules a source follows; a source of another name is left as the archive has it. */
const parts: Readonly<Record<string, PartName>> = {
  data: 'data',
  'data-files': 'data',
  'nginx-certs': 'nginx-certs',
  certs: 'certs',
  'saml-keys': 'saml-keys',
  config: 'config',
}

/** A private key in PEM is far smaller; a larger file is not looked into. */
const largestKey = 64 * 1024
const pemKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/

/**
 * Gives staged files and folders the modes and, where that is allowed, the owners that the application wants, whatever
 * the archive says (mastio.md §9.1 rule 8). Each change is durable when it returns.
 */
export async function fitStaged({ staged, bundle, privileged }: Fitting, signal: AbortSignal): Promise<void> {
  const owner = privileged ? await ownerOf(bundle) : undefined
  const own = ({ owner: whose }: Ownership): Owner | undefined =>
    !privileged ? undefined : whose === 'application' ? applicationUser : owner
  for (const [source, path] of staged) {
    const part = parts[source]
    if (part !== undefined) await fit(part, path, '', own, signal)
  }
}

async function fit(
  part: PartName,
  root: string,
  path: string,
  own: (ownership: Ownership) => Owner | undefined,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const at = join(root, path)
  let handle
  try {
    handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) !== 'ELOOP') throw error
    // A symlink has no mode of its own.
    const owner = own(ownershipOf(part, { path, type: 'file' }))
    if (owner !== undefined) await lchown(at, owner.uid, owner.gid)
    return
  }
  await using file = handle
  const found = await file.stat()
  if (found.isDirectory()) {
    for await (const { name } of await opendir(at)) await fit(part, root, join(path, name), own, signal)
  }
  const type = found.isDirectory() ? 'directory' : 'file'
  const name = path === '' ? root : path
  const holdsKey = type === 'file' && found.size <= largestKey && (await isKey(file))
  const ownership = ownershipOf(part, { path: name, type, holdsKey })
  const owner = own(ownership)
  // The owner first: giving a file away may take bits off its mode.
  if (owner !== undefined) await file.chown(owner.uid, owner.gid)
  await file.chmod(ownership.mode)
  await file.sync()
}

async function isKey(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(largestKey), 0, largestKey, 0)
  return pemKey.test(buffer.toString('latin1', 0, bytesRead))
}

/** Without a folder the archive's own owners stay: nobody here says whose the bundle is. */
export async function ownerOf(folder: string | undefined): Promise<Owner | undefined> {
  if (folder === undefined) return undefined
  try {
    const { uid, gid } = await stat(folder)
    return { uid, gid }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return undefined
  }
}
