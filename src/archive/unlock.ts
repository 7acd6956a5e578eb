import { SealiftError } from '../errors.ts'
import type { ReadHeader } from './header.ts'
import { headerMac, sameMac } from './key-schedule.ts'
import { Secret } from '../secret.ts'
import { describeSlot, openSlot, type OpenedKey, type OpenKey } from './slots.ts'

export interface Unlocked {
  readonly fileKey: Buffer
  /** The number of the slot that opened. */
  readonly slot: number
}

/** What opens this archive again without another derivation. */
export function openedKey({ fileKey, slot }: Unlocked, id: string): OpenedKey {
  return { type: 'opened', id, slot, fileKey: new Secret(fileKey.toString('hex')) }
}

/**
 * Finds a slot that one of the keys opens, and checks the header's MAC with what it gave: only then may the header be
 * believed (archive-v1 §3.1). NO_KEY_FITS, HEADER_CHANGED; KEY_INVALID for a secret key that is none.
 */
export async function unlock(
  { header, bytes, mac }: ReadHeader,
  keys: readonly OpenKey[],
  signal: AbortSignal | undefined,
): Promise<Unlocked> {
  const accept = (fileKey: Buffer, slot: number): Unlocked => {
    if (!sameMac(headerMac(fileKey, header.id, bytes), mac)) throw new SealiftError('HEADER_CHANGED', {})
    return { fileKey, slot }
  }
  const opened = keys.find((key) => key.type === 'opened' && key.id === header.id)
  if (opened?.type === 'opened') return accept(Buffer.from(opened.fileKey.reveal(), 'hex'), opened.slot)
  for (const [number, slot] of header.slots.entries()) {
    for (const key of keys) {
      signal?.throwIfAborted()
      const fileKey = await openSlot(slot, key, header.id)
      if (fileKey !== undefined) return accept(fileKey, number)
    }
  }
  const slots = header.slots.map((slot) => {
    const info = describeSlot(slot)
    return info.type === 'recipient'
      ? `recipient ${info.id}`
      : info.type === 'unknown'
        ? info.name
        : info.type
  })
  throw new SealiftError('NO_KEY_FITS', { tried: keys.length, slots: slots.join(', ') })
}
