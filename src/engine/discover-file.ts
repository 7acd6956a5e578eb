import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf } from '../errors.ts'

/** Something that is not backed up, and why. `loud`: data may be missing from every archive because of it. */
export interface LeftOut {
  readonly path: string
  readonly reason: string
  readonly loud: boolean
}

export type FileKind = 'sqlite' | 'env' | 'certificate' | 'compose' | 'sidecar'

/** SQLite file format §1.3: the first bytes of a database. */
const sqliteMagic = Buffer.from('SQLite format 3\0')

const databaseName = /\.(db3?|sqlite3?)$/i
const sidecarName = /-(wal|shm|journal)$/
const certificateName = /\.(pem|crt|cer|key|p12|pfx|jks)$/i
const envName = /^(\.env|.+\.env|\.env\..+)$/i
const envExample = /(example|sample|template|dist)/i
const composeName = /^((docker|podman)-)?compose([.-][\w.-]+)?\.ya?ml$/i

/** Files that only the data folder of a database server has. */
const serverMarks: Readonly<Record<string, string>> = {
  PG_VERSION: 'PostgreSQL',
  ibdata1: 'MySQL or MariaDB',
  WiredTiger: 'MongoDB',
}

/** Which database server's own data folder has these names in it. */
export function serverOf(names: readonly string[]): string | undefined {
  for (const name of names) {
    if (Object.hasOwn(serverMarks, name)) return serverMarks[name]
  }
  return undefined
}

/** What a regular file is, by its name and its first 16 bytes. What cannot be judged is added to `leftOut`. */
export async function classifyFile(file: string, leftOut: LeftOut[]): Promise<FileKind | undefined> {
  const name = path.basename(file)
  if (sidecarName.test(name)) return 'sidecar'
  let head: Buffer
  try {
    head = await firstBytes(file)
  } catch (error) {
    leftOut.push({ path: file, reason: `cannot be read: ${reasonOf(error)}`, loud: true })
    return undefined
  }
  if (head.equals(sqliteMagic)) return 'sqlite'
  if (composeName.test(name)) return 'compose'
  if (envName.test(name) && !envExample.test(name)) return 'env'
  if (certificateName.test(name)) return 'certificate'
  if (databaseName.test(name)) {
    const reason =
      head.length === 0
        ? 'named like a database, and empty'
        : 'named like a database, and no SQLite file: another format, or encrypted'
    leftOut.push({ path: file, reason, loud: head.length > 0 })
  }
  return undefined
}

/** O_NONBLOCK: what was a file when its folder was read may be a FIFO by now. */
async function firstBytes(file: string): Promise<Buffer> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(sqliteMagic.length), 0, sqliteMagic.length, 0)
  return buffer.subarray(0, bytesRead)
}
