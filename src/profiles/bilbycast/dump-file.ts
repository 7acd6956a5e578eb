import type { Secret } from '../../secret.ts'
import { fileFailures, type FileFailures } from './failures.ts'
import { NONCE_SIZE, TAG_SIZE } from './gcm.ts'
import { isAuthentic, openBody, sealBody, type Body, type SealedFile } from './sealed-body.ts'
import {
  argon2id,
  FIXED_COST,
  readersPassphrases,
  SALT_SIZE,
  writersPassphrase,
  type Stretch,
} from './stretch.ts'

export const DUMP_MAGIC = Buffer.from('BCBKMGR1', 'latin1')
/** How every `pg_dump --format=custom` begins. */
const PG_DUMP = Buffer.from('PGDMP', 'latin1')
const BODY_AT = DUMP_MAGIC.length + SALT_SIZE + NONCE_SIZE

export interface SealDump {
  /** Salt and nonce are drawn fresh by the caller for each file. */
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly passphrase: Secret
  readonly name?: string | undefined
  readonly stretch?: Stretch | undefined
}

/**
 * A BCBKMGR1 file around a `pg_dump --format=custom`, as it streams. FOREIGN_CONTENT_REFUSED, before a byte goes out,
 * for what is no such dump; PASSPHRASE_TOO_SHORT; FOREIGN_TOO_LARGE. Complete only once the iteration has ended.
 */
export async function* writeDump(
  dump: AsyncIterable<Uint8Array>,
  { salt, nonce, passphrase, name, stretch = argon2id }: SealDump,
): AsyncGenerator<Buffer, void, undefined> {
  const failures = fileFailures('BCBKMGR1', name)
  const key = await stretch(writersPassphrase(passphrase), salt, FIXED_COST)
  let begun = false
  for await (const piece of sealBody(checked(dump, failures), key, nonce, failures)) {
    if (!begun) yield Buffer.concat([DUMP_MAGIC, salt, nonce])
    begun = true
    yield piece
  }
}

/** The same pieces, the first one long enough to see what it is. */
async function* checked(
  dump: AsyncIterable<Uint8Array>,
  failures: FileFailures,
): AsyncGenerator<Uint8Array, void, undefined> {
  let start = Buffer.alloc(0)
  for await (const piece of dump) {
    if (start.length >= PG_DUMP.length) {
      yield piece
      continue
    }
    start = Buffer.concat([start, piece])
    if (start.length < PG_DUMP.length) continue
    if (!isDump(start)) throw failures.content('it is no dump in the custom format')
    yield start
  }
  if (start.length < PG_DUMP.length) throw failures.content('the dump has no bytes')
}

export interface OpenDumpOptions {
  readonly passphrase: Secret
  /** What the file is called in errors. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly stretch?: Stretch | undefined
}

/** A BCBKMGR1 file whose whole tag was right, and which holds a dump. */
export interface OpenedDump {
  readonly size: number
  /** The bytes of pg_dump, decrypted once more by each call; only the end says that the tag was right again. */
  dump(): AsyncIterable<Buffer>
}

/** FOREIGN_NOT_RECOGNISED, FOREIGN_CUT, FOREIGN_NOT_OPENED, FOREIGN_CONTENT_REFUSED. Two passes, bounded memory. */
export async function openDump(file: SealedFile, options: OpenDumpOptions): Promise<OpenedDump> {
  const { passphrase, signal, stretch = argon2id } = options
  const failures = fileFailures('BCBKMGR1', options.name)
  const head = await file.read(0, BODY_AT)
  const magic = head.subarray(0, DUMP_MAGIC.length)
  if (!magic.equals(DUMP_MAGIC.subarray(0, magic.length)) || magic.length === 0) throw failures.foreign()
  if (file.size < BODY_AT + TAG_SIZE || head.length < BODY_AT) throw failures.cut(file.size)
  const salt = head.subarray(DUMP_MAGIC.length, DUMP_MAGIC.length + SALT_SIZE)
  const body: Body = { file, at: BODY_AT, nonce: head.subarray(-NONCE_SIZE) }
  for (const bytes of readersPassphrases(passphrase)) {
    const key = await stretch(bytes, salt, FIXED_COST)
    if (!(await isAuthentic(body, key, signal))) continue
    const dump = (): AsyncIterable<Buffer> => openBody(body, key, failures, signal)
    for await (const piece of dump()) {
      if (!isDump(piece)) throw failures.content('it holds no dump in the custom format')
      return { size: file.size - BODY_AT - TAG_SIZE, dump }
    }
    throw failures.content('it holds no dump')
  }
  throw failures.notOpened()
}

const isDump = (start: Buffer): boolean => start.subarray(0, PG_DUMP.length).equals(PG_DUMP)
