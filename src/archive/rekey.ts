import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { SealiftError } from '../errors.ts'
import { readExactly, walkChunks, type RandomAccess } from './file-layout.ts'
import { encodeFooter, FOOTER_SIZE } from './footer.ts'
import { describeHeader, encodeHeader, MAC_SIZE, SLOT_LIMIT, type ArchiveHeader } from './header.ts'
import { headerMac } from './key-schedule.ts'
import { readHeaderOf } from './open-file.ts'
import type { OpenOptions } from './open-stream.ts'
import type { Encapsulate } from './recipient-slot.ts'
import { Sink } from './sink.ts'
import { createSlot, type OpenKey, type SlotKey } from './slots.ts'
import { unlock } from './unlock.ts'

const COPY = 1_048_576

export interface RekeyOptions extends OpenOptions {
  readonly random?: ((size: number) => Buffer) | undefined
  readonly encapsulate?: Encapsulate | undefined
}

/**
 * Writes the archive again with other slots: a new header, with the same id and file key, around the same chunks,
 * none of which is decrypted. `remove` holds slot numbers; slots of unknown types are carried along. Ends `out`; where it throws, `out`
 * is destroyed. Who had a slot that is removed, and kept the old file or its file key, can still open the contents.
 * SLOT_NOT_FOUND, SLOTS_LIMIT, KEY_INVALID, and as `openFile`; ARCHIVE_CUT, TRAILING_DATA and FOOTER_CHANGED too.
 */
export async function rekey(
  file: RandomAccess,
  out: Writable,
  keys: readonly OpenKey[],
  change: { readonly add: readonly SlotKey[]; readonly remove: readonly number[] },
  { signal, name, random = randomBytes, encapsulate }: RekeyOptions = {},
): Promise<ArchiveHeader> {
  const sink = new Sink(out, signal)
  try {
    const read = await readHeaderOf(file, name)
    const { header, size } = read
    const { fileKey } = await unlock(read, keys, signal)
    const { indexOffset, indexNumber } = await walkChunks(file, size, header.chunkSize)

    for (const number of change.remove) {
      if (header.slots[number] === undefined)
        throw new SealiftError('SLOT_NOT_FOUND', { slot: String(number) })
    }
    const slots = header.slots.filter((_, number) => !change.remove.includes(number))
    const count = slots.length + change.add.length
    if (count < 1 || count > SLOT_LIMIT) throw new SealiftError('SLOTS_LIMIT', { count })
    for (const key of change.add) {
      signal?.throwIfAborted()
      slots.push(await createSlot(key, fileKey, header.id, { random, encapsulate }))
    }

    const newHeader = { ...header, slots }
    const bytes = encodeHeader(newHeader)
    const mac = headerMac(fileKey, header.id, bytes)
    await sink.write([bytes, mac])
    const moved = bytes.length + MAC_SIZE - size
    const end = file.size - FOOTER_SIZE
    for (let at = size; at < end;) {
      const piece = await readExactly(file, at, Math.min(COPY, end - at))
      await sink.write([piece])
      at += piece.length
    }
    await sink.write([encodeFooter({ indexOffset: indexOffset + moved, indexNumber })])
    await sink.end()
    return describeHeader({ header: newHeader, bytes, mac, size: bytes.length + MAC_SIZE })
  } catch (error) {
    sink.destroy()
    throw error
  }
}
