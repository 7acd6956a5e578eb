import { createHash, createSecretKey } from 'node:crypto'
import { CHUNK_HEAD, DATA, END, INDEX, sealChunk, TAG_SIZE, type ChunkKind } from '../../src/archive/chunk.ts'
import { checksumLine } from '../../src/archive/checksums.ts'
import { encodeFooter } from '../../src/archive/footer.ts'
import { compressFrameSync } from '../../src/archive/frame.ts'
import { encodeHeader, MAC_SIZE, type Header } from '../../src/archive/header.ts'
import { encodeMemberLine, encodeSummaryLine } from '../../src/archive/index-lines.ts'
import { deriveKey, headerMac, LABELS } from '../../src/archive/key-schedule.ts'
import { CHECKSUMS_PATH, MANIFEST_PATH } from '../../src/archive/member-path.ts'
import { generateKeypair } from '../../src/archive/recipient.ts'
import { decapsulate } from '../../src/archive/xwing.ts'
import { createSlot, type Slot, type SlotKey } from '../../src/archive/slots.ts'
import { encodeTarHeader, paddingOf, TAR_END } from '../../src/archive/tar.ts'
import type { IndexEntry, Member } from '../../src/member.ts'
import { Secret } from '../../src/secret.ts'
import { PUBLISHED_CIPHERTEXT, PUBLISHED_SEED } from './xwing-draft.ts'

/**
 * Builds archives part by part, so that any part can be wrong: what hostile vectors and tests are made with. Honest
 * archives come from `seal`; nothing here checks anything.
 */

/** Random bytes that are the same for the same label. */
export function seeded(label: string): (size: number) => Buffer {
  let calls = 0
  return (size) =>
    createHash('shake256', { outputLength: size })
      .update(`${label}/${String(calls++)}`)
      .digest()
}

/** The key pair of the X-Wing draft's first test vector: its published ciphertext stands in every recipient slot. */
export const KEYPAIR = generateKeypair(() => Buffer.from(PUBLISHED_SEED, 'hex'))
export const RECIPIENT: SlotKey = { type: 'recipient', recipient: KEYPAIR.recipient }

/** Gives the same shared secret each time. */
export const publishedEncapsulation = () => {
  const ciphertext = Buffer.from(PUBLISHED_CIPHERTEXT, 'hex')
  return { ciphertext, sharedSecret: decapsulate(Buffer.from(PUBLISHED_SEED, 'hex'), ciphertext) }
}

/** Another pair, for slots that do not open with the first. */
export const OTHER_KEYPAIR = generateKeypair(() => createHash('sha256').update('another pair').digest())

export const CREATED_AT = '2026-01-02T03:04:05Z'
export const WRITER = 'sealift-vectors/1'
export const passphraseKey = (text: string) => ({ type: 'passphrase', passphrase: new Secret(text) }) as const

/** One member of a forged tar. `blocks` stands in place of the header blocks that would be right. */
export interface ForgedMember extends Partial<Member> {
  readonly path: string
  readonly content?: Buffer | string
  readonly blocks?: Buffer
}

export interface ForgedTar {
  readonly tar: Buffer
  readonly entries: IndexEntry[]
}

/** The tar of these members and its index entries; `end` stands in place of the two blocks of zeros. */
export function tarOf(members: readonly ForgedMember[], end: Buffer = TAR_END): ForgedTar {
  const parts: Buffer[] = []
  const entries: IndexEntry[] = []
  let offset = 0
  const push = (part: Buffer) => {
    parts.push(part)
    offset += part.length
  }
  for (const { content: given, blocks, ...rest } of members) {
    const content = Buffer.from(given ?? '')
    const member: Member = {
      type: 'file',
      size: content.length,
      mode: 0o644,
      mtimeMs: Date.parse(CREATED_AT),
      uid: 1000,
      gid: 1000,
      ...rest,
    }
    push(blocks ?? encodeTarHeader(member))
    const { path, type, link, size, mode, mtimeMs } = member
    const common = { path, type, ...(link === undefined ? {} : { link }), size, mode, mtimeMs, offset }
    const sha256 = createHash('sha256').update(content).digest('hex')
    entries.push(type === 'file' ? { ...common, sha256 } : common)
    push(content)
    push(Buffer.alloc(paddingOf(content.length)))
  }
  push(end)
  return { tar: Buffer.concat(parts), entries }
}

export const manifestText = (id: string): string =>
  `${JSON.stringify({
    manifest: 1,
    archive_id: id,
    kind: 'backup',
    app: 'vectors',
    profile: 'generic',
    host: 'host.example',
    started_at: CREATED_AT,
    finished_at: CREATED_AT,
    tool: { name: 'sealift', version: '0.1.0' },
    sources: [],
    warnings: [],
  })}\n`

export const checksumsText = (entries: readonly IndexEntry[]): string =>
  entries.map(({ path, sha256 }) => (sha256 === undefined ? '' : checksumLine(path, sha256))).join('')

/** MANIFEST.json and SHA256SUMS as they should be behind these members. */
export function closing(members: readonly ForgedMember[], id: string): ForgedMember[] {
  const manifest = { path: MANIFEST_PATH, content: manifestText(id) }
  const sums = checksumsText(tarOf([...members, manifest]).entries)
  return [manifest, { path: CHECKSUMS_PATH, content: sums }]
}

export interface ForgedChunk {
  readonly kind: ChunkKind
  readonly plaintext: Buffer
}

export interface Forged {
  readonly bytes: Buffer
  readonly header: Buffer
  /** Each chunk as it stands in the file. */
  readonly chunks: Buffer[]
  readonly footer: Buffer
}

/** What can be set otherwise than it should be. */
export interface ForgeOptions {
  readonly slots?: readonly SlotKey[]
  readonly compression?: 'zstd' | 'none'
  readonly chunkSize?: number
  readonly members?: readonly ForgedMember[]
  /** In place of the members with their closing members. */
  readonly tar?: ForgedTar
  /** In place of the tar's slices. */
  readonly data?: (slices: Buffer[]) => Buffer[]
  /** In place of the member lines and the last line. */
  readonly index?: (lines: string[], dataLengths: readonly number[], payloadSize: number) => string[]
  /** In place of one frame of all lines in the end chunk. */
  readonly indexChunks?: (text: Buffer) => ForgedChunk[]
  /** Changes the header's object, or gives other text for it; the MAC covers what comes out. */
  readonly header?: (json: Record<string, unknown>) => string
  /** Changes the slots. */
  readonly changeSlots?: (slots: Slot[]) => Slot[]
}

/** Makes archives that are the same for the same label. */
export class Forge {
  readonly id: string
  readonly fileKey: Buffer
  readonly #random: (size: number) => Buffer

  constructor(label: string) {
    this.#random = seeded(label)
    this.id = this.#random(16).toString('hex')
    this.fileKey = this.#random(32)
  }

  /** A chunk as it stands in the file. */
  chunk({ kind, plaintext }: ForgedChunk, number: number): Buffer {
    const key = createSecretKey(deriveKey(this.fileKey, this.id, LABELS.payload))
    return Buffer.concat(sealChunk(key, kind, number, plaintext))
  }

  /** magic, length, JSON and MAC. */
  async header(options: ForgeOptions = {}): Promise<Buffer> {
    const made: Slot[] = []
    for (const key of options.slots ?? [RECIPIENT]) {
      const encapsulate = publishedEncapsulation
      made.push(await createSlot(key, this.fileKey, this.id, { random: this.#random, encapsulate }))
    }
    const header: Header = {
      id: this.id,
      createdAt: CREATED_AT,
      writer: WRITER,
      compression: options.compression ?? 'zstd',
      chunkSize: options.chunkSize ?? 65_536,
      slots: options.changeSlots?.(made) ?? made,
    }
    const bytes = encodeHeader(header)
    if (options.header === undefined) return this.withMac(bytes)
    return this.headerOf(Buffer.from(options.header(JSON.parse(bytes.subarray(12).toString()))))
  }

  /** The header with this JSON text. */
  headerOf(json: Buffer): Buffer {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(json.length)
    return this.withMac(Buffer.concat([Buffer.from('89534c46540d0a1a', 'hex'), length, json]))
  }

  withMac(bytes: Buffer): Buffer {
    return Buffer.concat([bytes, headerMac(this.fileKey, this.id, bytes)])
  }

  async archive(options: ForgeOptions = {}): Promise<Forged> {
    const { compression = 'zstd', chunkSize = 65_536 } = options
    const members = options.members ?? []
    const { tar, entries } = options.tar ?? tarOf([...members, ...closing(members, this.id)])
    const cut: Buffer[] = []
    for (let at = 0; at < tar.length; at += chunkSize) {
      const slice = tar.subarray(at, at + chunkSize)
      cut.push(compression === 'zstd' ? compressFrameSync(slice, 1) : slice)
    }
    const slices = options.data?.(cut) ?? cut
    const dataLengths = slices.map((slice) => slice.length + TAG_SIZE)
    const lines = [
      ...entries.map(encodeMemberLine),
      encodeSummaryLine({ payloadSize: tar.length, members: entries.length, chunks: dataLengths }),
    ]
    const text = Buffer.from((options.index?.(lines, dataLengths, tar.length) ?? lines).join(''))
    const index = options.indexChunks?.(text) ?? [{ kind: END, plaintext: compressFrameSync(text, 3) }]
    const header = await this.header(options)
    const data = slices.map((plaintext): ForgedChunk => ({ kind: DATA, plaintext }))
    const chunks = [...data, ...index].map((chunk, number) => this.chunk(chunk, number))
    return assemble(header, chunks)
  }
}

/** A header and chunks with the footer that fits them. */
export function assemble(header: Buffer, chunks: Buffer[]): Forged {
  let indexOffset = header.length
  let indexNumber = 0
  while (chunks[indexNumber]?.[0] === DATA) indexOffset += chunks[indexNumber++]?.length ?? 0
  const footer = encodeFooter({ indexOffset, indexNumber })
  return { bytes: Buffer.concat([header, ...chunks, footer]), header, chunks, footer }
}

export { CHUNK_HEAD, DATA, END, INDEX, MAC_SIZE }
