import { compressFrameSync } from '../../src/archive/frame.ts'
import { TAR_END } from '../../src/archive/tar.ts'
import { cheapSlot } from './cheap-slot.ts'
import {
  closing,
  END,
  INDEX,
  OTHER_KEYPAIR,
  passphraseKey,
  RECIPIENT,
  tarOf,
  type ForgedMember,
} from './forge.ts'
import { forged, SMALL, type Scenario } from './scenario.ts'

const PASSPHRASE = 'six random words make one'
const ONE: ForgedMember[] = [{ path: 'app/one', content: 'x' }]

/** A tar of exactly this many bytes: one file fills what the other members leave. */
const tarOfSize = (size: number) =>
  forged((forge) => {
    const empty = tarOf([{ path: 'app/fill' }, ...closing([{ path: 'app/fill' }], forge.id)])
    const content = Buffer.alloc(size - empty.tar.length, 'fill ')
    return { members: [{ path: 'app/fill', content }] }
  })

export const successes: Scenario[] = [
  {
    name: 'ok-empty',
    comment: 'an archive without members of its own',
    clauses: ['P-6'],
    make: forged({}),
  },
  { name: 'ok-one-byte', comment: 'one file of one byte', clauses: ['D-1'], make: forged({ members: ONE }) },
  {
    name: 'ok-edge-before',
    comment: 'the tar ends one block before the edge of a chunk',
    clauses: ['D-1'],
    make: tarOfSize(131_072 - 512),
  },
  {
    name: 'ok-edge',
    comment: 'the tar ends at the edge of a chunk: no empty chunk follows',
    clauses: ['D-1'],
    make: tarOfSize(131_072),
  },
  {
    name: 'ok-edge-behind',
    comment: 'the last slice of the tar is one block',
    clauses: ['D-1'],
    make: tarOfSize(131_072 + 512),
  },
  {
    name: 'ok-compression-none',
    comment: 'slices that are not compressed',
    clauses: ['D-1'],
    make: forged({ ...SMALL, compression: 'none' }),
  },
  {
    name: 'ok-recipient',
    comment: 'three chunks for one recipient',
    clauses: ['S-7', 'C-1', 'C-3'],
    make: forged(SMALL),
  },
  {
    name: 'ok-passphrase',
    comment: 'a passphrase slot at the cost of writers',
    clauses: ['S-3'],
    passphrase: PASSPHRASE,
    secret: 'none',
    make: forged({ members: ONE, slots: [passphraseKey(PASSPHRASE)] }),
  },
  {
    name: 'ok-passphrase-nfc',
    comment: 'sealed with composed letters, opened with decomposed ones',
    clauses: ['S-2'],
    passphrase: 'Zu\u0308rich \u00e0 la cafe\u0301',
    secret: 'none',
    make: forged((forge) => ({
      changeSlots: () => [cheapSlot('Z\u00fcrich \u00e0 la caf\u00e9', forge)],
    })),
  },
  {
    name: 'ok-several-slots',
    comment: 'the third of four slots opens',
    clauses: ['S-6', 'S-7'],
    make: forged((forge) => ({
      members: ONE,
      slots: [{ type: 'recipient', recipient: OTHER_KEYPAIR.recipient }, RECIPIENT],
      changeSlots: ([other, own]) =>
        [cheapSlot('first', forge), other, own, cheapSlot('last', forge)].flatMap((slot) => slot ?? []),
    })),
  },
  {
    name: 'ok-unknown-slot',
    comment: 'a slot of a type that this version does not know is skipped',
    clauses: ['S-1'],
    make: forged({
      members: ONE,
      changeSlots: (slots) => [
        { type: 'unknown', value: { type: 'threshold', of: [3, 'any'] } as never },
        ...slots,
      ],
    }),
  },
  {
    name: 'ok-names',
    comment: 'names with spaces, line breaks, backslashes, quotes and letters of several scripts',
    clauses: ['P-1', 'P-6', 'I-2'],
    make: forged({
      members: [
        'a b',
        'line\nbreak',
        'back\\slash',
        'carriage\rreturn',
        '"quoted"',
        'Zürich',
        '東京',
        '🦭',
        '-rf',
      ].map((name) => ({ path: `app/${name}`, content: name })),
    }),
  },
  {
    name: 'ok-long-names',
    comment: 'names and link targets that ustar cannot hold, up to 4,096 bytes',
    clauses: ['P-1', 'P-5'],
    make: forged({
      members: [
        { path: `app/${'p'.repeat(90)}/${'n'.repeat(90)}`, content: 'prefix and name' },
        { path: `app/${'long'.repeat(40)}`, content: 'pax path' },
        { path: `app/${`${'d'.repeat(99)}/`.repeat(40)}${'e'.repeat(92)}`, content: 'the longest' },
        { path: 'app/link', type: 'symlink', link: 't'.repeat(300) },
      ],
    }),
  },
  {
    name: 'ok-links',
    comment:
      'a hard link to an earlier file, and symlinks of every kind: only a restore judges where they point',
    clauses: ['P-4'],
    make: forged({
      members: [
        { path: 'app', type: 'directory' },
        { path: 'app/file', content: 'content' },
        { path: 'app/hard', type: 'hardlink', link: 'app/file' },
        { path: 'app/near', type: 'symlink', link: 'file' },
        { path: 'app/out', type: 'symlink', link: '../../elsewhere' },
        { path: 'app/absolute', type: 'symlink', link: '/etc/hostname' },
      ],
    }),
  },
  {
    name: 'ok-folders',
    comment: 'a folder may come behind what lies in it, or not at all',
    clauses: ['P-3'],
    make: forged({
      members: [
        { path: 'app/sub/file', content: '1' },
        { path: 'app/sub', type: 'directory', mode: 0o700 },
        { path: 'app/empty', type: 'directory' },
      ],
    }),
  },
  {
    name: 'ok-parts',
    comment: 'a stream in parts',
    clauses: ['P-7'],
    make: forged({
      members: [
        { path: 'rows/users.part-00001', content: 'id,name\n' },
        { path: 'rows/users.part-00002', content: '1,Ada\n' },
        { path: 'rows/empty.part-00001', content: '' },
      ],
    }),
  },
  {
    name: 'ok-times-and-owners',
    comment: 'fractions of a second, times before 1970 and after 2242, owners above 2,097,151, all mode bits',
    clauses: ['P-5', 'P-9'],
    make: forged({
      members: [
        { path: 'app/fraction', mtimeMs: 1_700_000_000_123.456 },
        { path: 'app/before', mtimeMs: -1_500.25 },
        { path: 'app/after', mtimeMs: Date.parse('2500-01-01T00:00:00Z') },
        { path: 'app/owner', uid: 4_294_967_294, gid: 2_097_152, mode: 0o7777 },
      ],
    }),
  },
  {
    name: 'ok-tar-record',
    comment: 'the tar is filled with blocks of zeros, as GNU tar does',
    clauses: ['P-5'],
    make: forged((forge) => ({
      tar: tarOf([...ONE, ...closing(ONE, forge.id)], Buffer.concat([TAR_END, Buffer.alloc(8_192)])),
    })),
  },
  {
    name: 'ok-index-chunks',
    comment: 'an index of four frames in three chunks, one frame lying in two of them',
    clauses: ['I-1', 'C-1'],
    make: forged({
      ...SMALL,
      indexChunks: (text) => {
        const quarter = Math.ceil(text.length / 4)
        const frames = [0, 1, 2, 3].map((part) =>
          compressFrameSync(text.subarray(part * quarter, (part + 1) * quarter), 3),
        )
        const all = Buffer.concat(frames)
        const third = Math.ceil(all.length / 3)
        return [0, 1, 2].map((part) => ({
          kind: part === 2 ? END : INDEX,
          plaintext: all.subarray(part * third, (part + 1) * third),
        }))
      },
    }),
  },
  {
    name: 'ok-index-empty-end',
    comment: 'the index is complete before the end chunk, which is empty',
    clauses: ['C-1', 'C-4', 'I-1'],
    make: forged({
      members: ONE,
      indexChunks: (text) => [
        { kind: INDEX, plaintext: compressFrameSync(text, 3) },
        { kind: END, plaintext: Buffer.alloc(0) },
      ],
    }),
  },
  {
    name: 'no-key-secret',
    comment: 'the secret key of somebody else',
    clauses: ['S-7'],
    expect: 'NO_KEY_FITS',
    secret: OTHER_KEYPAIR.secret,
    make: forged({}),
  },
  {
    name: 'no-key-passphrase',
    comment: 'another passphrase',
    clauses: ['S-6'],
    expect: 'NO_KEY_FITS',
    passphrase: 'wrong',
    secret: 'none',
    make: forged((forge) => ({ changeSlots: () => [cheapSlot('right', forge)] })),
  },
  {
    name: 'no-key-unknown-slot',
    comment: 'only slots of types that this version does not know',
    clauses: ['S-1'],
    expect: 'NO_KEY_FITS',
    make: forged({ changeSlots: () => [{ type: 'unknown', value: { type: 'threshold' } }] }),
  },
]
