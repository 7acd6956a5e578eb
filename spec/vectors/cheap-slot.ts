import { argon2Sync } from 'node:crypto'
import { LABELS, slotAad } from '../../src/archive/key-schedule.ts'
import type { PassphraseSlot } from '../../src/archive/passphrase-slot.ts'
import { wrapKey } from '../../src/archive/wrapped-key.ts'
import { seeded, type Forge } from './forge.ts'

/** A passphrase slot at a cost that no writer may choose, for vectors that are about something else. */
export function cheapSlot(passphrase: string, { id, fileKey }: Forge, boundTo = id): PassphraseSlot {
  const random = seeded(`${id}/${passphrase}`)
  const salt = random(16)
  const nonce = random(12)
  const cost = { memoryKib: 8, passes: 1, lanes: 1 }
  const kek = argon2Sync('argon2id', {
    message: Buffer.from(passphrase),
    nonce: salt,
    parallelism: cost.lanes,
    memory: cost.memoryKib,
    passes: cost.passes,
    tagLength: 32,
  })
  const key = wrapKey(kek, nonce, fileKey, slotAad(LABELS.passphraseSlot, boundTo))
  return { type: 'passphrase', ...cost, salt, nonce, key }
}
