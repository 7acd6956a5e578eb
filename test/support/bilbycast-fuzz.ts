import assert from 'node:assert/strict'
import { isSealiftError } from '../../src/errors.ts'
import { openDump } from '../../src/profiles/bilbycast/dump-file.ts'
import { openExport } from '../../src/profiles/bilbycast/export-file.ts'
import { partsOf, summarise } from '../../src/profiles/bilbycast/payload-summary.ts'
import { dumpFile, exportFile, gather, inMemory, PASSPHRASE, quick, withHeader } from './bilbycast-files.ts'

/** How often each code was the answer; `taken` counts changes inside the seal that left a sound payload. */
export type Answers = Readonly<Record<string, number>>

/**
 * Opens as many changed files as asked for: both formats with bytes, lengths and pieces changed, headers rewritten, and
 * payloads changed before they are sealed. Each must be refused by name, or be a payload that is still one.
 */
export async function fuzz(count: number, seed: number): Promise<Answers> {
  const random = generator(seed)
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
  const payload = Buffer.from(
    '{"tables":{"users":[{"id":"u1","n":12,"t":"a\\"b\\\\"},{"id":"u2","n":-1.5e3,"t":null}],"nodes":[{"j":{"k":[1,true]}}]},' +
      '"secret_columns":[{"table":"users","column":"t","domain":"d"}],"skipped_secrets":[],"sequences":{"a.b":{"last_value":3,"is_called":true}}}',
  )
  const sealed = await exportFile({ payload })
  const dump = await dumpFile(Buffer.concat([Buffer.from('PGDMP'), Buffer.alloc(200, 7)]))
  const answers: Record<string, number> = {}
  const tell = (answer: string): void => void (answers[answer] = (answers[answer] ?? 0) + 1)
  const options = { passphrase: PASSPHRASE, stretch: quick }

  const readExport = async (bytes: Buffer): Promise<void> => {
    const opened = await openExport(inMemory(bytes), options)
    await summarise(opened)
    for await (const part of partsOf(opened)) assert.ok(part.kind)
  }
  const readDump = async (bytes: Buffer): Promise<void> => {
    await gather((await openDump(inMemory(bytes), options)).dump())
  }
  for (let turn = 0; turn < count; turn++) {
    const kind = pick(['export', 'dump', 'header', 'payload'] as const)
    let work: Promise<void>
    let bytes: Buffer
    if (kind === 'dump') work = readDump((bytes = mutated(dump, random)))
    else if (kind === 'export') work = readExport((bytes = mutated(sealed, random)))
    else if (kind === 'header') {
      bytes = withHeader(sealed, (json) => mutated(Buffer.from(json), random))
      work = readExport(bytes)
    } else work = exportFile({ payload: (bytes = mutated(payload, random)) }).then(readExport)
    try {
      await work
      // A changed header does not change the tag, and this payload carries no checksum of it.
      const sound = kind === 'payload' || kind === 'header' || bytes.equals(kind === 'dump' ? dump : sealed)
      assert.ok(
        sound || isHeaderOnly(bytes, sealed),
        `turn ${turn} of seed ${seed}: a changed ${kind} was taken`,
      )
      tell('taken')
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      assert.ok(isSealiftError(error), `turn ${turn} of seed ${seed}: ${String(error)}`)
      assert.match(error.code, /^FOREIGN_/, `turn ${turn} of seed ${seed}: ${error.message}`)
      tell(error.code)
    }
  }
  return answers
}

/** Whether two BCBKv2 files differ in their headers alone. */
function isHeaderOnly(one: Buffer, other: Buffer): boolean {
  const body = (file: Buffer): Buffer => file.subarray(12 + file.readUInt32LE(8))
  return one.length >= 12 && body(one).equals(body(other))
}

/** One to four changes: a bit, a byte, a number's worth of bytes, a cut, a piece gone, doubled, moved or put in. */
function mutated(original: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original)
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(bytes.length + 1)
    const length = 1 + random(random(4) === 0 ? 64 : 4)
    const piece = bytes.subarray(at, at + length)
    const rest = bytes.subarray(at + piece.length)
    const start = bytes.subarray(0, at)
    const kind = random(8)
    if (kind === 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
    else if (kind === 1 && at < bytes.length) bytes[at] = random(256)
    else if (kind === 2) bytes = Buffer.from(start)
    else if (kind === 3) bytes = Buffer.concat([start, rest])
    else if (kind === 4) bytes = Buffer.concat([start, piece, piece, rest])
    else if (kind === 5) bytes = Buffer.concat([rest, start, piece])
    else if (kind === 6) {
      const filler = [0x00, 0xff, 0x22, 0x5c, 0x7b, 0x5b, 0x39][random(7)] ?? 0
      bytes = Buffer.concat([start, Buffer.alloc(length, filler), rest])
    } else piece.fill(random(2) === 0 ? 0 : 255)
  }
  return bytes
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
