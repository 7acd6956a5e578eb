import type { InspectResult } from '../engine/inspect.ts'
import { moment, size } from './quantity.ts'

type Header = NonNullable<InspectResult['header']>

/** What the header says in the clear, for people. */
export function headerFields(header: Header): [string, string][] {
  return [
    ['id', header.id],
    ['sealed', `${moment(header.createdAt)} by ${header.writer}`],
    ['compression', `${header.compression}, chunks of ${size(header.chunkSize)}`],
    ...header.slots.map((slot, number): [string, string] => [`slot ${number}`, slotText(slot)]),
  ]
}

function slotText(slot: Header['slots'][number]): string {
  if (slot.type === 'passphrase') {
    return `passphrase (${slot.kdf}, ${size(slot.memoryKib * 1024)}, ${slot.passes} passes)`
  }
  if (slot.type === 'recipient') return `recipient ${slot.id} (${slot.kem})`
  return `${slot.name}: unknown to this version, skipped`
}
