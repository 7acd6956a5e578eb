import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isSealiftError, type SealiftError } from '../../src/errors.ts'
import { writeDump } from '../../src/profiles/bilbycast/dump-file.ts'
import { writeExport } from '../../src/profiles/bilbycast/export-file.ts'
import type { SealedFile } from '../../src/profiles/bilbycast/sealed-body.ts'
import { payloadText, type PayloadFields } from '../../src/profiles/bilbycast/payload-write.ts'
import type { Stretch } from '../../src/profiles/bilbycast/stretch.ts'
import { Secret } from '../../src/secret.ts'

export const PASSPHRASE = new Secret('correct horse battery')
export const SALT = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
export const NONCE = Buffer.from('101112131415161718191a1b', 'hex')

/** A key in microseconds instead of a sixth of a second, bound to the same inputs. */
export const quick: Stretch = async (passphrase, salt, { memoryKib, passes, lanes }) =>
  createHash('sha256')
    .update(`${memoryKib},${passes},${lanes},${passphrase.length}`)
    .update(passphrase)
    .update(salt)
    .digest()

/** A file in memory that counts what is read of it. */
export function inMemory(bytes: Buffer): SealedFile & { taken(): number } {
  let taken = 0
  return {
    size: bytes.length,
    read: async (offset, length) => {
      const piece = Buffer.from(bytes.subarray(offset, offset + length))
      taken += piece.length
      return piece
    },
    taken: () => taken,
  }
}

export async function* pieces(bytes: Buffer, size = 1 << 20): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export const gather = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(stream))

export interface ExportParts {
  readonly tables?: Readonly<Record<string, readonly string[]>>
  readonly fields?: Partial<PayloadFields>
  /** Instead of tables and fields: the payload as it is. */
  readonly payload?: Buffer
  readonly exporter?: string
  readonly stretch?: Stretch
  readonly passphrase?: Secret
}

export const HEADER = {
  createdAt: '2026-04-27T00:00:00Z',
  exporter: 'cli-export',
  schemaVersion: '12',
  salt: SALT,
}

/** A BCBKv2 file, the same for the same parts. */
export async function exportFile(parts: ExportParts = {}): Promise<Buffer> {
  const { tables = { users: ['{"id":"u1"}'] }, fields = {}, stretch = quick } = parts
  const lists = Object.entries(tables).map(([name, rows]) => ({ name, rows: inTurn(rows) }))
  const text = (headerSha256: string) =>
    payloadText(lists, () => ({
      secretColumns: [],
      skippedSecrets: [],
      sequences: new Map(),
      headerSha256,
      ...fields,
    }))
  const payload = parts.payload === undefined ? text : () => pieces(parts.payload ?? Buffer.alloc(0))
  const header = { ...HEADER, exporter: parts.exporter ?? HEADER.exporter }
  return gather(
    writeExport(payload, { header, nonce: NONCE, passphrase: parts.passphrase ?? PASSPHRASE, stretch }),
  )
}

/** A BCBKMGR1 file, the same for the same dump. */
export async function dumpFile(dump: Buffer, stretch = quick, passphrase = PASSPHRASE): Promise<Buffer> {
  return gather(writeDump(pieces(dump, 3), { salt: SALT, nonce: NONCE, passphrase, stretch }))
}

export async function* inTurn(rows: readonly string[]): AsyncGenerator<string[], void, undefined> {
  for (const row of rows) yield [row]
}

/** The header of a BCBKv2 file replaced by another text, `header_len` put right. */
export function withHeader(file: Buffer, change: (json: string) => string | Buffer): Buffer {
  const end = 12 + file.readUInt32LE(8)
  const changed = change(file.toString('utf8', 12, end))
  const json = typeof changed === 'string' ? Buffer.from(changed) : changed
  const length = Buffer.alloc(4)
  length.writeUInt32LE(json.length)
  return Buffer.concat([file.subarray(0, 8), length, json, file.subarray(end)])
}

/** The named error that this ends with; every other end fails the test. */
export async function errorOf(work: Promise<unknown>): Promise<SealiftError> {
  const error: unknown = await work.then(
    () => new Error('it was accepted'),
    (refusal: unknown) => refusal,
  )
  assert.ok(isSealiftError(error), String(error instanceof Error ? error.stack : error))
  assert.notEqual(error.code, 'BUG')
  return error
}
