import { createHash } from 'node:crypto'
import type { Secret } from '../../secret.ts'
import { decodeExportHeader, encodeExportHeader, type ExportHeader } from './export-header.ts'
import { HEADER_LIMIT, HEADER_SHORTEST } from './export-header.ts'
import { fileFailures, type FileFailures } from './failures.ts'
import { NONCE_SIZE, TAG_SIZE } from './gcm.ts'
import { isAuthentic, openBody, sealBody, type SealedFile } from './sealed-body.ts'
import { argon2id, FIXED_COST, readersPassphrases, writersPassphrase, type Stretch } from './stretch.ts'

/** `BCBKv2`, a line feed, a zero byte. */
export const EXPORT_MAGIC = Buffer.from('BCBKv2\n\0', 'latin1')
const HEADER_AT = EXPORT_MAGIC.length + 4

export interface SealExport {
  readonly header: Omit<ExportHeader, 'cost'>
  /** Fresh for each file, as `header.salt` is: drawn by the caller, so that the same input gives the same bytes. */
  readonly nonce: Buffer
  readonly passphrase: Secret
  readonly name?: string | undefined
  readonly stretch?: Stretch | undefined
}

/**
 * A BCBKv2 file, in bounded memory. `payload` is given the SHA-256 of the bytes before the nonce, which it carries as
 * `header_sha256`: the format itself leaves the header unauthenticated. PASSPHRASE_TOO_SHORT, FOREIGN_TOO_LARGE.
 * Complete only once the iteration has ended.
 */
export async function* writeExport(
  payload: (headerSha256: string) => AsyncIterable<Uint8Array>,
  { header, nonce, passphrase, name, stretch = argon2id }: SealExport,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = writersPassphrase(passphrase)
  const json = encodeExportHeader(header)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  const head = Buffer.concat([EXPORT_MAGIC, length, json])
  const key = await stretch(bytes, header.salt, FIXED_COST)
  yield Buffer.concat([head, nonce])
  yield* sealBody(payload(sha256(head)), key, nonce, fileFailures('BCBKv2', name))
}

export interface OpenExportOptions {
  readonly passphrase: Secret
  /** What the file is called in errors. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly stretch?: Stretch | undefined
}

/** A BCBKv2 file whose whole tag was right. */
export interface OpenedExport {
  readonly header: ExportHeader
  /** Of the bytes before the nonce: what `header_sha256` of the payload must say. */
  readonly headerSha256: string
  readonly failures: FileFailures
  /** The payload JSON, decrypted once more by each call; its end says that the tag was right again. */
  payload(): AsyncIterable<Buffer>
}

/**
 * Opens a BCBKv2 file: the header within its limits, then the tag over the whole of it before a byte is released.
 * FOREIGN_NOT_RECOGNISED, FOREIGN_CUT, FOREIGN_HEADER_REFUSED, FOREIGN_NOT_OPENED.
 */
export async function openExport(file: SealedFile, options: OpenExportOptions): Promise<OpenedExport> {
  const { passphrase, signal, stretch = argon2id } = options
  const failures = fileFailures('BCBKv2', options.name)
  const { header, head } = await readHead(file, failures)
  const body = { file, at: head.length + NONCE_SIZE, nonce: await file.read(head.length, NONCE_SIZE) }
  for (const bytes of readersPassphrases(passphrase)) {
    const key = await stretch(bytes, header.salt, header.cost)
    if (!(await isAuthentic(body, key, signal))) continue
    return {
      header,
      headerSha256: sha256(head),
      failures,
      payload: () => openBody(body, key, failures, signal),
    }
  }
  throw failures.notOpened()
}

/** The header alone, nothing of it authenticated: for a look without a passphrase. */
export async function readExportHeader(file: SealedFile, name?: string): Promise<ExportHeader> {
  return (await readHead(file, fileFailures('BCBKv2', name))).header
}

async function readHead(
  file: SealedFile,
  failures: FileFailures,
): Promise<{ header: ExportHeader; head: Buffer }> {
  const start = await file.read(0, HEADER_AT)
  const magic = start.subarray(0, EXPORT_MAGIC.length)
  if (!magic.equals(EXPORT_MAGIC.subarray(0, magic.length)) || magic.length === 0) throw failures.foreign()
  if (start.length < HEADER_AT) throw failures.cut(file.size)
  const length = start.readUInt32LE(EXPORT_MAGIC.length)
  if (length < HEADER_SHORTEST || length > HEADER_LIMIT)
    throw failures.header('header_len', `it is ${length}, not ${HEADER_SHORTEST} to ${HEADER_LIMIT}`)
  if (file.size < HEADER_AT + length + NONCE_SIZE + TAG_SIZE) throw failures.cut(file.size)
  const head = await file.read(0, HEADER_AT + length)
  if (head.length !== HEADER_AT + length) throw failures.cut(head.length)
  return { header: decodeExportHeader(head.subarray(HEADER_AT), failures), head }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
