import { Writable } from 'node:stream'
import type { Manifest } from '../../src/manifest.ts'
import type { Member } from '../../src/member.ts'
import {
  generateKeypair,
  openStream,
  seal,
  type OpenKey,
  type RandomAccess,
  type Sealer,
  type SealOptions,
  type SlotKey,
} from '../../src/archive/index.ts'

/** Archives in memory, for tests that seal and open. */
const pair = generateKeypair()
export const RECIPIENT: SlotKey = { type: 'recipient', recipient: pair.recipient }
export const SECRET: OpenKey = { type: 'secret', secret: pair.secret }

/** A Writable that keeps what it is given. */
export class Memory extends Writable {
  readonly #parts: Buffer[] = []

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#parts.push(chunk)
    done()
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

export const member = (path: string, size = 0, rest: Partial<Member> = {}): Member => ({
  path,
  type: 'file',
  size,
  mode: 0o644,
  mtimeMs: Date.parse('2026-01-02T03:04:05Z'),
  uid: 1000,
  gid: 1000,
  ...rest,
})

export const manifestOf = (id: string): Manifest => ({
  manifest: 1,
  archive_id: id,
  kind: 'backup',
  app: 'app',
  profile: 'generic',
  host: 'host.example',
  started_at: '2026-01-02T03:04:05Z',
  finished_at: '2026-01-02T03:04:06Z',
  tool: { name: 'sealift', version: '0.1.0' },
  sources: [],
  warnings: [],
})

export async function beginSealing(
  options: Partial<SealOptions> = {},
): Promise<{ sealer: Sealer; out: Memory }> {
  const out = new Memory()
  const sealer = await seal({
    out,
    slots: [RECIPIENT],
    createdAt: new Date('2026-01-02T03:04:05Z'),
    writer: 'sealift/test',
    chunkSize: 65_536,
    ...options,
  })
  return { sealer, out }
}

/** An archive of these files. */
export async function sealed(
  files: Readonly<Record<string, Buffer | string>>,
  options: Partial<SealOptions> = {},
): Promise<Buffer> {
  const { sealer, out } = await beginSealing(options)
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text)
    await sealer.add(member(path, content.length), [content])
  }
  await sealer.finish(manifestOf(sealer.id))
  return out.bytes
}

export async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The files of an archive that is read from a pipe in pieces of this size; all of it has been verified. */
export async function readAll(
  archive: Buffer,
  pieceSize = archive.length,
  keys: readonly OpenKey[] = [SECRET],
): Promise<Map<string, Buffer>> {
  await using stream = await openStream(inPieces(archive, pieceSize), keys)
  const files = new Map<string, Buffer>()
  for await (const {
    member: { path },
    content,
  } of stream.members()) {
    files.set(path, Buffer.concat(await Array.fromAsync(content())))
  }
  return files
}

/** Random access to bytes in memory that remembers which ranges were read. */
export class MemoryFile implements RandomAccess {
  readonly size: number
  readonly reads: { offset: number; length: number }[] = []
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.size = bytes.length
  }

  async read(offset: number, length: number): Promise<Buffer> {
    this.reads.push({ offset, length })
    return this.#bytes.subarray(offset, offset + length)
  }
}
