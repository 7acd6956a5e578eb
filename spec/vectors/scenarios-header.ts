import { cheapSlot } from './cheap-slot.ts'
import { type Forge } from './forge.ts'
import { changed, forged, type Scenario } from './scenario.ts'

type Json = Record<string, unknown>

/** An archive whose header says something that no header may say, under a MAC that fits. */
const header = (name: string, comment: string, clause: string, make: (json: Json) => string): Scenario => ({
  name: `header-${name}`,
  comment,
  clauses: [clause],
  expect: 'HEADER_INVALID',
  make: forged({ header: make }),
})
const withField = (name: string, comment: string, clause: string, fields: Json): Scenario =>
  header(name, comment, clause, (json) => JSON.stringify({ ...json, ...fields }))

const slot = (name: string, comment: string, clause: string, change: (slot: Json) => Json): Scenario => ({
  name: `slot-${name}`,
  comment,
  clauses: [clause],
  expect: 'HEADER_INVALID',
  passphrase: 'right',
  secret: 'none',
  make: forged((forge: Forge) => ({
    changeSlots: () => [cheapSlot('right', forge)],
    header: (json) => JSON.stringify({ ...json, slots: (json['slots'] as Json[]).map(change) }),
  })),
})

/** The length field, without the bytes that it speaks of being there. */
const lengthOf = (length: number) =>
  changed((bytes) => {
    bytes.writeUInt32LE(length, 8)
    return bytes
  })

export const headers: Scenario[] = [
  {
    name: 'magic',
    comment: 'a file of another kind',
    clauses: ['H-1'],
    expect: 'NOT_AN_ARCHIVE',
    make: async () => Buffer.from('PK\u0003\u0004 is no archive of this kind'),
  },
  {
    name: 'magic-text-mode',
    comment: 'a copy in text mode dropped the carriage return of the magic',
    clauses: ['H-1'],
    expect: 'NOT_AN_ARCHIVE',
    make: changed((bytes) => Buffer.concat([bytes.subarray(0, 5), bytes.subarray(6)])),
  },
  {
    name: 'magic-cut',
    comment: 'the first bytes of the magic and nothing more',
    clauses: ['C-2'],
    expect: 'ARCHIVE_CUT',
    make: changed((bytes) => bytes.subarray(0, 5)),
  },
  {
    name: 'empty-file',
    comment: 'no bytes at all',
    clauses: ['C-2'],
    expect: 'ARCHIVE_CUT',
    make: async () => Buffer.alloc(0),
  },
  {
    name: 'header-newer',
    comment: 'format 2, whose header may look otherwise',
    clauses: ['H-3'],
    expect: 'ARCHIVE_TOO_NEW',
    make: forged({ header: () => '{"format":2,"anything":[]}' }),
  },
  {
    name: 'header-length-1',
    comment: 'a header length below 2',
    clauses: ['H-2'],
    expect: 'HEADER_INVALID',
    make: lengthOf(1),
  },
  {
    name: 'header-length-65537',
    comment: 'a header length above 65,536',
    clauses: ['H-2'],
    expect: 'HEADER_INVALID',
    make: lengthOf(65_537),
  },
  {
    name: 'header-length-4gib',
    comment: 'the largest header length that can be written; nothing of that size is allocated',
    clauses: ['H-2'],
    expect: 'HEADER_INVALID',
    make: lengthOf(0xffff_ffff),
  },
  {
    name: 'header-cut',
    comment: 'the file ends within the header',
    clauses: ['C-2'],
    expect: 'ARCHIVE_CUT',
    make: changed((bytes) => bytes.subarray(0, 300)),
  },
  header('not-json', 'braces that do not close', 'H-4', (json) => JSON.stringify(json).slice(0, -1)),
  {
    name: 'header-not-utf8',
    comment: 'a byte that is no UTF-8',
    clauses: ['H-4'],
    expect: 'HEADER_INVALID',
    make: async (forge) => forge.headerOf(Buffer.from('{"format":1,"id":"\xff"}', 'latin1')),
  },
  header('array', 'an array in place of the object', 'H-4', (json) => JSON.stringify([json])),
  header('duplicate-key', 'one key twice', 'H-4', (json) => `{"format":1,${JSON.stringify(json).slice(1)}`),
  header('duplicate-key-in-slot', 'one key of a slot twice', 'H-4', (json) =>
    JSON.stringify(json).replace('"kem":"x-wing"', '"kem":"x-wing","kem":"x-wing"'),
  ),
  header('white-space', 'the same JSON with spaces', 'H-4', (json) => JSON.stringify(json, null, 1)),
  header('order', 'the keys in another order', 'H-4', ({ id, ...rest }) => JSON.stringify({ ...rest, id })),
  header('escapes', 'a letter as an escape', 'H-4', (json) =>
    JSON.stringify(json).replace('"id"', '"\\u0069d"'),
  ),
  header('number', 'a number in another spelling', 'H-4', (json) =>
    JSON.stringify(json).replace('"format":1', '"format":1.0'),
  ),
  withField('unknown-key', 'a key that this version does not have', 'H-4', { comment: 'hello' }),
  header('missing-key', 'no writer', 'H-4', (json) => JSON.stringify({ ...json, writer: undefined })),
  header('deep', 'JSON of 30,000 levels', 'H-7', (json) =>
    JSON.stringify({ ...json, slots: 0 }).replace(
      '"slots":0',
      `"slots":${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    ),
  ),
  withField('format-0', 'format 0', 'H-3', { format: 0 }),
  withField('format-text', 'the format as text', 'H-3', { format: '1' }),
  withField('id', 'an id in capital letters', 'H-5', { id: 'ABCDEF0123456789ABCDEF0123456789' }),
  withField('created-at', 'the 30th of February', 'H-5', { created_at: '2026-02-30T00:00:00Z' }),
  withField('created-at-zone', 'a time with an offset', 'H-5', { created_at: '2026-01-02T03:04:05+00:00' }),
  withField('writer', 'a writer that would move the cursor of a terminal', 'H-5', { writer: '\u001b[2J' }),
  withField('cipher', 'another cipher', 'H-5', { cipher: 'aes-128-gcm' }),
  withField('compression', 'another compression', 'H-5', { compression: 'gzip' }),
  withField('chunk-size-odd', 'a chunk size that is no power of two', 'H-5', { chunk_size: 65_537 }),
  withField('chunk-size-small', 'a chunk size of 32,768', 'H-5', { chunk_size: 32_768 }),
  withField('chunk-size-large', 'a chunk size of 32 MiB', 'H-5', { chunk_size: 33_554_432 }),
  withField('no-slots', 'no slot', 'H-6', { slots: [] }),
  withField('slots-17', 'seventeen slots', 'H-6', {
    slots: Array.from({ length: 17 }, () => ({ type: 'threshold' })),
  }),
  withField('slots-object', 'slots that are no array', 'H-6', { slots: { 0: { type: 'threshold' } } }),
  {
    name: 'header-mac',
    comment: 'another writer in the header than the MAC covers',
    clauses: ['H-8'],
    expect: 'HEADER_CHANGED',
    make: changed((bytes) => {
      bytes.write('sealift-vectors/2', bytes.indexOf('sealift-vectors/1'))
      return bytes
    }),
  },
  {
    name: 'header-mac-compression',
    comment: 'compression none in place of zstd; only the MAC shows it',
    clauses: ['H-8'],
    expect: 'HEADER_CHANGED',
    make: changed((bytes) => {
      bytes.write('none', bytes.indexOf('"zstd"') + 1)
      return bytes
    }),
  },
  {
    name: 'header-slot-added',
    comment: 'somebody without the file key added a slot of another type',
    clauses: ['H-8'],
    expect: 'HEADER_CHANGED',
    make: changed((bytes, { header: { length } }) => {
      const json = bytes
        .toString('utf8', 12, length - 32)
        .replace('"slots":[', '"slots":[{"type":"threshold"},')
      const size = Buffer.alloc(4)
      size.writeUInt32LE(json.length)
      return Buffer.concat([bytes.subarray(0, 8), size, Buffer.from(json), bytes.subarray(length - 32)])
    }),
  },
  {
    name: 'slot-of-another-archive',
    comment: 'the slot was made for another archive id',
    clauses: ['S-6'],
    expect: 'NO_KEY_FITS',
    passphrase: 'right',
    secret: 'none',
    make: forged((forge) => ({ changeSlots: () => [cheapSlot('right', forge, '00'.repeat(16))] })),
  },
  {
    name: 'slot-recipient-changed',
    comment: 'one bit of the encapsulated key is another',
    clauses: ['S-6'],
    expect: 'NO_KEY_FITS',
    make: forged({
      changeSlots: (slots) =>
        slots.map((one) => {
          if (one.type !== 'recipient') return one
          const ciphertext = Buffer.from(one.ciphertext)
          ciphertext.writeUInt8(ciphertext.readUInt8(500) ^ 1, 500)
          return { ...one, ciphertext }
        }),
    }),
  },
  slot('memory', 'Argon2id with 1 GiB and 1 KiB', 'S-4', (json) => ({ ...json, memory_kib: 1_048_577 })),
  slot('memory-4tib', 'Argon2id with 4 TiB', 'S-4', (json) => ({ ...json, memory_kib: 2 ** 32 })),
  slot('passes', 'Argon2id with 17 passes', 'S-4', (json) => ({ ...json, passes: 17 })),
  slot('lanes', 'Argon2id with 9 lanes', 'S-4', (json) => ({ ...json, lanes: 9 })),
  slot('passes-0', 'Argon2id without a pass', 'S-5', (json) => ({ ...json, passes: 0 })),
  slot('kdf', 'another KDF', 'S-5', (json) => ({ ...json, kdf: 'scrypt' })),
  slot('version', 'another version of Argon2', 'S-5', (json) => ({ ...json, version: 16 })),
  slot('unknown-key', 'a slot with a key that this version does not have', 'H-4', (json) => ({
    ...json,
    hint: 'pet',
  })),
  slot('base64-padding', 'base64 without padding', 'S-5', (json) => ({
    ...json,
    salt: String(json['salt']).replaceAll('=', ''),
  })),
  slot('base64-length', 'a nonce of 11 bytes', 'S-5', (json) => ({
    ...json,
    nonce: Buffer.alloc(11).toString('base64'),
  })),
  slot('no-type', 'a slot without a type', 'S-1', (json) => ({ ...json, type: undefined })),
  slot('type', 'a type that is no word', 'S-1', () => ({ type: 'Threshold\u001b[2J' })),
]
