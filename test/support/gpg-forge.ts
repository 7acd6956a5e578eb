import { createCipheriv, createHash } from 'node:crypto'
import { deflateRawSync, deflateSync } from 'node:zlib'

/**
 * OpenPGP messages made by hand (RFC 4880), for what gpg itself no longer writes or writes too slowly. Shares nothing
 * with the reader under test, and hashes a passphrase in microseconds.
 */
export const CIPHERS = {
  7: { name: 'aes-128-cfb', keySize: 16 },
  8: { name: 'aes-192-cfb', keySize: 24 },
  9: { name: 'aes-256-cfb', keySize: 32 },
} as const
export const HASHES = { 2: 'sha1', 8: 'sha256', 9: 'sha384', 10: 'sha512', 11: 'sha224' } as const
type Cipher = keyof typeof CIPHERS
type Hash = keyof typeof HASHES

export const PASSPHRASE = 'correct horse'
const SALT = Buffer.from('saltsalt')
const IV = Buffer.alloc(16)
const PREFIX = Buffer.from('0123456789abcdefef')

/** How the length of a packet is written. */
export type Form = 'new' | 'new-5' | 'partial' | 'old-1' | 'old-2' | 'old-4' | 'old-rest'

export function packet(tag: number, body: Buffer, form: Form = 'new'): Buffer {
  const number = (size: number): Buffer =>
    Buffer.from(
      body.length
        .toString(16)
        .padStart(size * 2, '0')
        .slice(-size * 2),
      'hex',
    )
  const of = (octet: number, ...rest: Buffer[]): Buffer => Buffer.concat([Buffer.from([octet]), ...rest])
  switch (form) {
    case 'new':
      if (body.length < 192) return of(0xc0 | tag, number(1), body)
      if (body.length >= 8384) return packet(tag, body, 'new-5')
      return of(0xc0 | tag, Buffer.from([192 + ((body.length - 192) >> 8), (body.length - 192) & 0xff]), body)
    case 'new-5':
      return of(0xc0 | tag, Buffer.from([0xff]), number(4), body)
    case 'partial':
      return of(0xc0 | tag, ...inParts(body))
    case 'old-1':
      return of(0x80 | (tag << 2), number(1), body)
    case 'old-2':
      return of(0x81 | (tag << 2), number(2), body)
    case 'old-4':
      return of(0x82 | (tag << 2), number(4), body)
    case 'old-rest':
    default:
      return of(0x83 | (tag << 2), body)
  }
}

/** Parts of 512, 1, 2 and 1 bytes over and over, and what is left, which may be nothing. */
function* inParts(body: Buffer): Generator<Buffer> {
  const powers = [9, 0, 1, 0]
  let at = 0
  for (let part = 0; body.length - at >= 512; part++) {
    const power = powers[part % powers.length] ?? 0
    yield Buffer.from([0xe0 | power])
    yield body.subarray(at, (at += 2 ** power))
  }
  yield packet(0, body.subarray(at)).subarray(1)
}

export const literal = (data: Buffer, form?: Form, format = 'b', name = ''): Buffer =>
  packet(
    11,
    Buffer.concat([
      Buffer.from(format),
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.alloc(4, 1),
      data,
    ]),
    form,
  )

export function compressed(algorithm: number, packets: Buffer, form?: Form): Buffer {
  const data = algorithm === 1 ? deflateRawSync(packets) : algorithm === 2 ? deflateSync(packets) : packets
  return packet(8, Buffer.concat([Buffer.from([algorithm]), data]), form)
}

export const marker = packet(10, Buffer.from('PGP'))

export interface SlotOptions {
  readonly cipher?: Cipher
  readonly hash?: Hash
  readonly s2k?: 0 | 1 | 3
  readonly passphrase?: string
  /** The session key that is wrapped; without it the passphrase's own key encrypts. */
  readonly wraps?: { readonly cipher: Cipher; readonly key: Buffer }
}

/** A symmetric-key session packet. */
export function slot(options: SlotOptions = {}): Buffer {
  const { cipher = 9, hash = 8, s2k = 3, wraps } = options
  const parts = [Buffer.from([4, cipher, s2k, hash])]
  if (s2k > 0) parts.push(SALT)
  if (s2k === 3) parts.push(Buffer.from([0]))
  if (wraps !== undefined) {
    const wrap = createCipheriv(CIPHERS[cipher].name, passphraseKey(options), IV)
    parts.push(wrap.update(Buffer.concat([Buffer.from([wraps.cipher]), wraps.key])))
  }
  return packet(3, Buffer.concat(parts))
}

export function passphraseKey({
  cipher = 9,
  hash = 8,
  s2k = 3,
  passphrase = PASSPHRASE,
}: SlotOptions = {}): Buffer {
  const unit = Buffer.concat([s2k > 0 ? SALT : Buffer.alloc(0), Buffer.from(passphrase)])
  const size = s2k === 3 ? Math.max(1024, unit.length) : unit.length
  const hashed = Buffer.alloc(size, unit)
  const key = [0, 1, 2].map((zeros) =>
    createHash(HASHES[hash]).update(Buffer.alloc(zeros)).update(hashed).digest(),
  )
  return Buffer.concat(key).subarray(0, CIPHERS[cipher].keySize)
}

export interface DataOptions {
  readonly cipher?: Cipher
  readonly key?: Buffer
  readonly form?: Form
  readonly version?: number
  /** What stands in the place of the modification detection code. */
  readonly mdc?: Buffer
}

/** An encrypted data packet of version 1 around these packets. */
export function encrypted(packets: Buffer, options: DataOptions = {}): Buffer {
  const { cipher = 9, key = passphraseKey({ cipher }), form, version = 1 } = options
  const hashed = Buffer.concat([PREFIX, packets, Buffer.from([0xd3, 0x14])])
  const mdc = options.mdc ?? createHash('sha1').update(hashed).digest()
  const data = createCipheriv(CIPHERS[cipher].name, key, IV).update(Buffer.concat([hashed, mdc]))
  return packet(18, Buffer.concat([Buffer.from([version]), data]), form)
}

/** An encrypted data packet without modification detection (tag 9), with the resynchronisation of RFC 4880 §13.9. */
export function encryptedBare(packets: Buffer): Buffer {
  const { name } = CIPHERS[9]
  const prefix = createCipheriv(name, passphraseKey(), IV).update(PREFIX)
  const data = createCipheriv(name, passphraseKey(), prefix.subarray(2)).update(packets)
  return packet(9, Buffer.concat([prefix, data]))
}

/** The message that most tests begin with. */
export const message = (data: Buffer, options?: DataOptions): Buffer =>
  Buffer.concat([slot(), encrypted(literal(data), options)])
