import { SealiftError } from '../errors.ts'

export const FOOTER_SIZE = 24
const END_MAGIC = Buffer.from('SLFTEND\n', 'latin1')

/** Where the first index or end chunk stands, and its number. A hint without authority (archive-v1 §4). */
export interface Footer {
  readonly indexOffset: number
  readonly indexNumber: number
}

export function encodeFooter({ indexOffset, indexNumber }: Footer): Buffer {
  const bytes = Buffer.alloc(FOOTER_SIZE)
  bytes.writeBigUInt64LE(BigInt(indexOffset), 0)
  bytes.writeBigUInt64LE(BigInt(indexNumber), 8)
  END_MAGIC.copy(bytes, 16)
  return bytes
}

/** The footer in these 24 bytes, or undefined where they are none: the end magic is missing or a number is absurd. */
export function decodeFooter(bytes: Buffer): Footer | undefined {
  if (bytes.length !== FOOTER_SIZE || !bytes.subarray(16).equals(END_MAGIC)) return undefined
  const indexOffset = Number(bytes.readBigUInt64LE(0))
  const indexNumber = Number(bytes.readBigUInt64LE(8))
  return Number.isSafeInteger(indexOffset) && Number.isSafeInteger(indexNumber)
    ? { indexOffset, indexNumber }
    : undefined
}

/** Refuses a footer that is missing, or that says something else than what was read: FOOTER_CHANGED. */
export function checkFooter(bytes: Buffer, at: number, expected: Footer): void {
  if (!bytes.equals(encodeFooter(expected))) throw new SealiftError('FOOTER_CHANGED', { at })
}
