import { randomBytes } from 'node:crypto'
import { SealiftError } from '../errors.ts'
import { SLOT_LIMIT } from './header.ts'
import { KEY_SIZE } from './key-schedule.ts'
import type { Encapsulate } from './recipient-slot.ts'
import { createSlot, type Slot, type SlotKey } from './slots.ts'

export interface KeyOptions {
  /** 1 to 16. */
  readonly slots: readonly SlotKey[]
  readonly random?: ((size: number) => Buffer) | undefined
  /** 32 hex digits, drawn at random unless told otherwise: for what stands for an archive that has a name already. */
  readonly id?: string | undefined
  /** Only for archives that must come out the same each time, as test vectors do. */
  readonly encapsulate?: Encapsulate | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a new archive is sealed with: its id, its file key, and the slots that open to it. For one archive only. */
export interface NewKeys {
  readonly id: string
  readonly fileKey: Buffer
  readonly slots: readonly Slot[]
}

/**
 * Makes the keys of one archive. A passphrase is stretched in the thread pool for a quarter of a second, so whoever has
 * something else to do meanwhile begins with this. SLOTS_LIMIT, KEY_INVALID.
 */
export async function makeKeys(options: KeyOptions): Promise<NewKeys> {
  const { slots: keys, random = randomBytes, encapsulate, signal } = options
  if (keys.length < 1 || keys.length > SLOT_LIMIT)
    throw new SealiftError('SLOTS_LIMIT', { count: keys.length })
  const id = options.id ?? random(16).toString('hex')
  const fileKey = random(KEY_SIZE)
  const slots: Slot[] = []
  for (const key of keys) {
    signal?.throwIfAborted()
    slots.push(await createSlot(key, fileKey, id, { random, encapsulate }))
  }
  return { id, fileKey, slots }
}
