import { compressFrameSync, storeFrame } from '../../src/archive/frame.ts'
import { assemble, closing, DATA, END, Forge, INDEX, tarOf, type Forged } from './forge.ts'
import { changed, forged, SMALL, type Scenario } from './scenario.ts'

type Refusal = Omit<Scenario, 'clauses'>
const chunk = (name: string, comment: string, clause: string, make: Refusal['make']): Scenario => ({
  name: `chunk-${name}`,
  comment,
  clauses: [clause],
  expect: 'CHUNK_CHANGED',
  make,
})
const cut = (name: string, comment: string, at: (archive: Forged) => number): Scenario => ({
  name: `cut-${name}`,
  comment,
  clauses: ['C-2'],
  expect: 'ARCHIVE_CUT',
  make: changed((bytes, archive) => bytes.subarray(0, at(archive))),
})
const data = (name: string, comment: string, clause: string, make: Refusal['make']): Scenario => ({
  name: `data-${name}`,
  comment,
  clauses: [clause],
  expect: 'CONTENTS_DISAGREE',
  make,
})

/** The offset of a chunk in the file; one behind the last is the footer's. */
const offsetOf = ({ header, chunks }: Forged, number: number): number =>
  header.length + chunks.slice(0, number).reduce((sum, { length }) => sum + length, 0)

/** The chunks in another order, or others than there were. */
const arranged = (arrange: (chunks: Buffer[]) => (Buffer | undefined)[]) =>
  changed(
    (_, { header, chunks }) =>
      assemble(
        header,
        arrange(chunks).flatMap((one) => one ?? []),
      ).bytes,
  )

const flip = (bytes: Buffer, at: number, bit = 1): Buffer => {
  bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at)
  return bytes
}

/** A frame of one block that repeats a byte: its header says `size`, or nothing; its block yields `yields` bytes. */
function repeated(size: number | undefined, yields: number): Buffer {
  const head = Buffer.alloc(size === undefined ? 6 : 9)
  head.writeUInt32LE(0xfd2fb528, 0)
  if (size === undefined) head.writeUInt8(0x38, 5)
  else {
    head.writeUInt8(0b1010_0000, 4)
    head.writeUInt32LE(size, 5)
  }
  const blocks: Buffer[] = []
  for (let left = yields; left > 0 || blocks.length === 0;) {
    const length = Math.min(left, 131_072)
    left -= length
    const block = Buffer.alloc(4)
    block.writeUIntLE((length << 3) | 0b010 | (left === 0 ? 1 : 0), 0, 3)
    blocks.push(block)
  }
  return Buffer.concat([head, ...blocks])
}

const first = (make: (slice: Buffer) => Buffer) =>
  forged({ ...SMALL, data: ([slice, ...rest]) => [make(slice ?? Buffer.alloc(0)), ...rest] })

export const chunks: Scenario[] = [
  chunk(
    'bit',
    'one bit of a ciphertext',
    'C-5',
    changed((bytes, archive) => flip(bytes, offsetOf(archive, 1) + 20)),
  ),
  chunk(
    'tag',
    'one bit of a tag',
    'C-5',
    changed((bytes, archive) => flip(bytes, offsetOf(archive, 2) - 1)),
  ),
  chunk(
    'index-bit',
    'one bit of the end chunk',
    'C-5',
    changed((bytes, archive) => flip(bytes, offsetOf(archive, 3) + 9)),
  ),
  chunk(
    'swapped',
    'two chunks in each other\u2019s place',
    'C-3',
    arranged(([a, b, ...rest]) => [b, a, ...rest]),
  ),
  chunk(
    'repeated',
    'a chunk twice',
    'C-3',
    arranged(([a, ...rest]) => [a, a, ...rest]),
  ),
  chunk(
    'dropped',
    'a chunk in the middle is missing',
    'C-3',
    arranged((all) => all.toSpliced(1, 1)),
  ),
  chunk(
    'dropped-first',
    'the first chunk is missing',
    'C-3',
    arranged((all) => all.slice(1)),
  ),
  chunk(
    'dropped-data',
    'only the end chunk is left',
    'C-3',
    arranged((all) => all.slice(-1)),
  ),
  {
    ...chunk('spliced', 'a chunk of another archive for the same recipient', 'C-3', async (forge) => {
      const [own, other] = await Promise.all([
        forge.archive(SMALL),
        new Forge('another archive').archive(SMALL),
      ])
      const [, ...rest] = own.chunks
      return assemble(own.header, [...other.chunks.slice(0, 1), ...rest])
    }),
  },
  chunk(
    'kind-changed',
    'a data chunk that calls itself an index chunk',
    'C-3',
    changed((bytes, archive) => flip(bytes, offsetOf(archive, 2))),
  ),
  chunk(
    'kind-unknown',
    'a kind that does not exist',
    'C-1',
    changed((bytes, archive) => flip(bytes, offsetOf(archive, 1), 0x40)),
  ),
  chunk(
    'length-15',
    'a length that does not hold a tag',
    'C-4',
    changed((bytes, archive) => {
      bytes.writeUInt32LE(15, offsetOf(archive, 1) + 1)
      return bytes
    }),
  ),
  chunk(
    'length-large',
    'a length above chunk_size + 65,536; nothing of that size is allocated',
    'C-4',
    changed((bytes, archive) => {
      bytes.writeUInt32LE(131_073, offsetOf(archive, 1) + 1)
      return bytes
    }),
  ),
  chunk('data-behind-index', 'a data chunk behind an index chunk, both with sound tags', 'C-1', (forge) =>
    forge.archive({
      ...SMALL,
      indexChunks: (text) => [
        { kind: INDEX, plaintext: compressFrameSync(text, 3) },
        { kind: DATA, plaintext: compressFrameSync(Buffer.from('late'), 3) },
        { kind: END, plaintext: Buffer.alloc(0) },
      ],
    }),
  ),
  {
    name: 'end-twice',
    comment: 'two end chunks, both with sound tags',
    clauses: ['C-1', 'C-7'],
    expect: 'FOOTER_CHANGED',
    make: forged({
      ...SMALL,
      indexChunks: (text) => [
        { kind: END, plaintext: compressFrameSync(text, 3) },
        { kind: END, plaintext: Buffer.alloc(0) },
      ],
    }),
  },
  cut('no-end', 'it ends where the end chunk would begin', (archive) => offsetOf(archive, 3)),
  cut('chunk-head', 'it ends within the head of a chunk', (archive) => offsetOf(archive, 2) + 3),
  cut('chunk', 'it ends within a chunk', (archive) => offsetOf(archive, 1) + 30),
  cut('no-footer', 'it ends behind the end chunk', (archive) => offsetOf(archive, 4)),
  cut('footer', 'it ends within the footer', (archive) => offsetOf(archive, 4) + 23),
  {
    name: 'end-replaced',
    comment: 'only data chunks, and a footer right behind them',
    clauses: ['C-2'],
    expect: 'ARCHIVE_CUT',
    make: changed((_, { header, chunks: [one, two], footer }) =>
      Buffer.concat([header, one ?? header, two ?? header, footer.subarray(0, 4)]),
    ),
  },
  {
    name: 'trailing-byte',
    comment: 'one byte behind the footer',
    clauses: ['C-6'],
    expect: 'TRAILING_DATA',
    make: changed((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  },
  {
    name: 'trailing-archive',
    comment: 'a second archive behind the first',
    clauses: ['C-6'],
    expect: 'TRAILING_DATA',
    make: changed((bytes) => Buffer.concat([bytes, bytes])),
  },
  {
    name: 'footer-magic',
    comment: 'another end magic',
    clauses: ['C-7'],
    expect: 'FOOTER_CHANGED',
    make: changed((bytes) => flip(bytes, bytes.length - 1)),
  },
  {
    name: 'footer-offset',
    comment: 'the footer points to another place than the index',
    clauses: ['C-7'],
    expect: 'FOOTER_CHANGED',
    make: changed((bytes) => flip(bytes, bytes.length - 24)),
  },
  {
    name: 'footer-number',
    comment: 'the footer gives the first index chunk another number',
    clauses: ['C-7'],
    expect: 'FOOTER_CHANGED',
    make: changed((bytes) => flip(bytes, bytes.length - 16)),
  },
  data(
    'claims-more',
    'a frame claims one byte more than chunk_size',
    'D-2',
    first(() => repeated(65_537, 65_537)),
  ),
  data(
    'bomb-claimed',
    'a frame of 128 KiB claims 4 GiB',
    'D-2',
    first(() => repeated(0xffff_ffff, 1_048_576)),
  ),
  data(
    'bomb-hidden',
    'a frame claims 65,536 bytes and yields 16 MiB',
    'D-2',
    first(() => repeated(65_536, 16_777_216)),
  ),
  data(
    'claims-less',
    'a frame yields more than it claims',
    'D-2',
    first(() => repeated(65_535, 65_536)),
  ),
  data(
    'no-size',
    'a frame without its content size',
    'D-2',
    first(() => repeated(undefined, 65_536)),
  ),
  data(
    'two-frames',
    'two frames in one chunk',
    'D-2',
    first((slice) => Buffer.concat([slice, storeFrame(Buffer.from('more'))])),
  ),
  data(
    'behind-frame',
    'something behind the frame',
    'D-2',
    first((slice) => Buffer.concat([slice, Buffer.from('more')])),
  ),
  data(
    'skippable',
    'a skippable frame before the frame',
    'D-2',
    first((slice) => Buffer.concat([Buffer.from('502a4d1800000000', 'hex'), slice])),
  ),
  data(
    'cut-frame',
    'a frame without its last byte',
    'D-2',
    first((slice) => slice.subarray(0, -1)),
  ),
  data(
    'not-zstd',
    'a slice that is not compressed',
    'D-2',
    first(() => Buffer.alloc(65_536, 'plain')),
  ),
  data(
    'empty-frame',
    'an empty plaintext',
    'D-2',
    first(() => Buffer.alloc(0)),
  ),
  data('short-slice', 'a slice in the middle is shorter than chunk_size', 'D-1', (forge) => {
    const members = SMALL.members ?? []
    const whole = tarOf([...members, ...closing(members, forge.id)])
    return forge.archive({
      ...SMALL,
      tar: whole,
      data: ([, ...rest]) => [
        compressFrameSync(whole.tar.subarray(0, 512), 1),
        compressFrameSync(whole.tar.subarray(512, 65_536), 1),
        ...rest,
      ],
    })
  }),
  data(
    'empty-slice',
    'an empty slice behind the last',
    'D-1',
    forged({ ...SMALL, data: (slices) => [...slices, storeFrame(Buffer.alloc(0))] }),
  ),
  data('none-long', 'a slice longer than chunk_size, not compressed', 'D-1', (forge) => {
    const members = SMALL.members ?? []
    const whole = tarOf([...members, ...closing(members, forge.id)])
    return forge.archive({
      ...SMALL,
      compression: 'none',
      tar: whole,
      data: () => [
        whole.tar.subarray(0, 65_537),
        whole.tar.subarray(65_537, 131_072),
        whole.tar.subarray(131_072),
      ],
    })
  }),
]
