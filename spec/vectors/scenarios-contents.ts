import { compressFrameSync } from '../../src/archive/frame.ts'
import { encodeTarHeader, TAR_END } from '../../src/archive/tar.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { Member } from '../../src/member.ts'
import { checksumsText, closing, END, INDEX, manifestText, tarOf, type ForgedMember } from './forge.ts'
import { forged, SMALL, type Scenario } from './scenario.ts'

const scenario = (
  name: string,
  comment: string,
  clause: string,
  expect: ErrorCode,
  make: Scenario['make'],
): Scenario => ({ name, comment, clauses: [clause], expect, make })

/** Members that no archive may hold, in an archive that is sound otherwise. */
const member = (name: string, comment: string, clause: string, ...members: ForgedMember[]): Scenario =>
  scenario(`member-${name}`, comment, clause, 'MEMBER_REFUSED', forged({ members }))

/** The lines of a sound index, changed. */
const index = (
  name: string,
  comment: string,
  clause: string,
  change: (lines: string[]) => string[],
): Scenario =>
  scenario(`index-${name}`, comment, clause, 'CONTENTS_DISAGREE', forged({ ...SMALL, index: change }))

const indexText = (name: string, comment: string, make: (text: Buffer) => Buffer): Scenario =>
  scenario(
    `index-${name}`,
    comment,
    'I-1',
    'CONTENTS_DISAGREE',
    forged({ ...SMALL, indexChunks: (text) => [{ kind: END, plaintext: make(text) }] }),
  )

/** One field of the line of `app/data`. */
const field = (name: string, comment: string, from: RegExp | string, to: string): Scenario =>
  index(name, comment, 'I-4', (lines) =>
    lines.map((line, number) => (number === 1 ? line.replace(from, to) : line)),
  )

/** The members behind `app/data`, made from what they should be. */
const end = (
  name: string,
  comment: string,
  clause: string,
  change: (manifest: ForgedMember, sums: ForgedMember, id: string) => ForgedMember[],
): Scenario =>
  scenario(`contents-${name}`, comment, clause, 'CONTENTS_DISAGREE', (forge) => {
    const members = SMALL.members ?? []
    const [manifest, sums] = closing(members, forge.id)
    if (manifest === undefined || sums === undefined) throw new Error('an archive has two closing members')
    return forge.archive({ tar: tarOf([...members, ...change(manifest, sums, forge.id)]) })
  })

const withManifest = (content: string): ForgedMember[] => {
  const manifest = { path: 'MANIFEST.json', content }
  return [
    manifest,
    { path: 'SHA256SUMS', content: checksumsText(tarOf([...(SMALL.members ?? []), manifest]).entries) },
  ]
}

const FILE: Member = { path: 'app/x', type: 'file', size: 0, mode: 0o644, mtimeMs: 0, uid: 0, gid: 0 }

/** A header block with some bytes of it changed, and its checksum made right again. */
function block(at: number, bytes: string, of: Partial<Member> = {}, fix = true): Buffer {
  const header = encodeTarHeader({ ...FILE, ...of })
  const last = header.subarray(-512)
  last.write(bytes, at, 'latin1')
  if (fix) {
    last.fill(0x20, 148, 156)
    const sum = last.reduce((total, byte) => total + byte, 0)
    last.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  }
  return header
}

/** A pax header with these records, and the file behind it. */
function pax(text: string, typeFlag = 'x'): Buffer {
  const body = Buffer.from(text, 'latin1')
  const header = block(156, typeFlag, { path: 'PaxHeaders/x', size: body.length })
  const fill = Buffer.alloc((512 - (body.length % 512)) % 512)
  return Buffer.concat([header, body, fill, encodeTarHeader(FILE)])
}

const raw = (name: string, comment: string, blocks: Buffer): Scenario =>
  member(name, comment, 'P-5', { path: 'app/x', blocks })
const tar = (name: string, comment: string, blocks: Buffer): Scenario =>
  scenario(
    `tar-${name}`,
    comment,
    'P-5',
    'CONTENTS_DISAGREE',
    forged({ members: [{ path: 'app/x', blocks }] }),
  )

const withEnd = (tail: Buffer) =>
  forged((forge) => ({
    tar: tarOf([...(SMALL.members ?? []), ...closing(SMALL.members ?? [], forge.id)], tail),
  }))

/** 1 GiB and one block of zeros, in 32 KiB. */
const BOMB = Buffer.concat([
  Buffer.from('28b52ffd0038', 'hex'),
  ...new Array<Buffer>(8_192).fill(Buffer.from('02001000', 'hex')),
  Buffer.from('03001000', 'hex'),
])
/** One line that never ends, in place of an index. */
const LONG_LINE = Buffer.concat([
  Buffer.from('28b52ffd0038', 'hex'),
  ...new Array<Buffer>(8_192).fill(Buffer.from('02001061', 'hex')),
  Buffer.from('03001061', 'hex'),
])

export const contents: Scenario[] = [
  member('parent', 'a name with ".."', 'P-1', { path: 'app/../../etc/passwd' }),
  member('parent-only', 'the name ".."', 'P-1', { path: '..' }),
  member('absolute', 'an absolute name', 'P-1', { path: '/etc/passwd' }),
  member('drive', 'a name with a drive', 'P-1', { path: 'C:/Windows/x' }),
  member('empty-part', 'a name with an empty part', 'P-1', { path: 'app//x' }),
  member('dot-part', 'a name with the part "."', 'P-1', { path: 'app/./x' }),
  member('trailing-slash', 'a file whose name ends with a slash', 'P-1', { path: 'app/x/' }),
  member('long', 'a name of 4,097 bytes', 'P-1', { path: `${'d/'.repeat(2_048)}x` }),
  member('twice', 'one name twice', 'P-2', { path: 'app/x', content: '1' }, { path: 'app/x', content: '2' }),
  member(
    'twice-folder',
    'a folder and a file of one name',
    'P-2',
    { path: 'app/x', type: 'directory' },
    { path: 'app/x' },
  ),
  member(
    'through-symlink',
    'a file behind a symlink',
    'P-3',
    { path: 'app/x', type: 'symlink', link: '/etc' },
    { path: 'app/x/passwd' },
  ),
  member(
    'through-symlink-deep',
    'a file two levels behind a symlink',
    'P-3',
    { path: 'app', type: 'symlink', link: '/' },
    { path: 'app/etc/passwd' },
  ),
  member('through-file', 'a file within a file', 'P-3', { path: 'app/x', content: '1' }, { path: 'app/x/y' }),
  member(
    'symlink-over-folder',
    'a symlink in the place of a folder that others lie in',
    'P-3',
    { path: 'app/x/y' },
    { path: 'app/x', type: 'symlink', link: '/etc' },
  ),
  member(
    'hardlink-later',
    'a hard link to a later member',
    'P-4',
    { path: 'app/x', type: 'hardlink', link: 'app/y' },
    { path: 'app/y' },
  ),
  member('hardlink-outside', 'a hard link to what is no member', 'P-4', {
    path: 'app/x',
    type: 'hardlink',
    link: '/etc/passwd',
  }),
  member(
    'hardlink-symlink',
    'a hard link to a symlink',
    'P-4',
    { path: 'app/x', type: 'symlink', link: '/etc' },
    { path: 'app/y', type: 'hardlink', link: 'app/x' },
  ),
  member('hardlink-itself', 'a hard link to itself', 'P-4', {
    path: 'app/x',
    type: 'hardlink',
    link: 'app/x',
  }),
  raw('character-device', 'a character device', block(156, '3')),
  raw('block-device', 'a block device', block(156, '4')),
  raw('fifo', 'a FIFO', block(156, '6')),
  raw('contiguous', 'a tar type that is no longer in use', block(156, '7')),
  raw('sparse', 'a sparse file of GNU tar', block(156, 'S')),
  raw('gnu-long-name', 'a long name of GNU tar', block(156, 'L', { path: '././@LongLink' })),
  raw('global-pax', 'a global pax header', pax('12 path=a/b\n', 'g')),
  raw('pax-unknown', 'a pax record that is not known', pax('20 SCHILY.xattr=abc\n')),
  raw('pax-twice', 'a pax record twice', pax('12 path=a/b\n12 path=a/c\n')),
  raw('pax-broken', 'a pax record whose length is wrong', pax('99 path=a/b\n')),
  raw('pax-size', 'a size that is no number', pax('12 size=1e3\n')),
  raw('not-utf8', 'a name that is not UTF-8', block(0, 'app/\xff')),
  raw('symlink-content', 'a symlink with content', block(156, '2', { size: 5 })),
  raw('symlink-empty', 'a symlink without a target', block(156, '2')),
  raw('mode', 'a mode with the bits of a file type', block(100, '0100644')),
  tar('checksum', 'a wrong checksum', block(0, 'app/y', {}, false)),
  tar('not-ustar', 'a header of GNU tar', block(257, 'ustar  \0')),
  tar('base-256', 'a size in base 256', block(124, '\x80\0\0\0\0\0\0\0\0\0\0\x01')),
  scenario('tar-padding', 'padding that is not zero', 'P-5', 'MEMBER_REFUSED', (forge) => {
    const made = tarOf([...(SMALL.members ?? []), ...closing(SMALL.members ?? [], forge.id)])
    const { offset, size } = made.entries[1] ?? { offset: 0, size: 0 }
    made.tar.write('hidden', offset + size)
    return forge.archive({ tar: made })
  }),
  scenario('tar-no-end', 'a tar without its end', 'P-5', 'CONTENTS_DISAGREE', withEnd(Buffer.alloc(0))),
  scenario(
    'tar-half-end',
    'one block of zeros at the end',
    'P-5',
    'CONTENTS_DISAGREE',
    withEnd(TAR_END.subarray(0, 512)),
  ),
  scenario(
    'tar-behind-end',
    'something behind the end of the tar',
    'P-5',
    'CONTENTS_DISAGREE',
    withEnd(Buffer.concat([TAR_END, encodeTarHeader(FILE)])),
  ),
  field('path', 'another name', 'app/data', 'app/date'),
  field('type', 'another type', '"type":"file"', '"type":"directory"'),
  field('size', 'another size', '"size":140000', '"size":140001'),
  field('mode', 'another mode', '"mode":"0644"', '"mode":"4755"'),
  field('mtime', 'another time', '03:04:05Z', '03:04:06Z'),
  field('sha256', 'another hash', /"sha256":"[0-9a-f]+"/, `"sha256":"${'0'.repeat(64)}"`),
  field('offset', 'another offset', /"offset":(\d+)/, '"offset":1$1'),
  field('link', 'a link target of a file', '"size"', '"link":"app","size"'),
  index('missing-line', 'no line for a member', 'I-4', (lines) => lines.toSpliced(1, 1)),
  index('added-line', 'a line without a member', 'I-4', (lines) => [
    ...lines.slice(0, -1),
    ...lines.slice(1, 2).map((line) => line.replace('app/data', 'app/more')),
    ...lines.slice(-1),
  ]),
  index('order', 'the lines in another order', 'I-4', ([one, two, ...rest]) => [
    two ?? '',
    one ?? '',
    ...rest,
  ]),
  index('spaces', 'the same JSON with spaces', 'I-2', (lines) =>
    lines.map((line) => line.replaceAll('":', '": ')),
  ),
  index('not-json', 'a line that is not JSON', 'I-2', (lines) => lines.with(0, '{"path":"app"\n')),
  index('no-last-line', 'no last line', 'I-3', (lines) => lines.slice(0, -1)),
  index('last-line-twice', 'something behind the last line', 'I-3', (lines) => [
    ...lines,
    ...lines.slice(-1),
  ]),
  index('no-line-feed', 'the last line is not ended', 'I-2', (lines) =>
    lines.map((line, number) => (number === lines.length - 1 ? line.trimEnd() : line)),
  ),
  index('payload-size', 'another size of the tar', 'I-3', (lines) =>
    lines.map((line) => line.replace(/"payload_size":(\d+)/, '"payload_size":1$1')),
  ),
  index('members', 'another count of members', 'I-3', (lines) =>
    lines.map((line) => line.replace(/"members":(\d+)/, '"members":1$1')),
  ),
  index('chunks', 'another length of a chunk', 'I-3', (lines) =>
    lines.map((line) => line.replace(/"chunks":\[(\d+)/, '"chunks":[1$1')),
  ),
  index('chunks-fewer', 'a chunk that is not listed', 'I-3', (lines) =>
    lines.map((line) => line.replace(/"chunks":\[\d+,/, '"chunks":[')),
  ),
  indexText('bomb', '1 GiB of zeros in 32 KiB', () => BOMB),
  indexText('long-line', 'a line of 1 GiB in 32 KiB', () => LONG_LINE),
  indexText('not-zstd', 'an index that is not compressed', (text) => text),
  indexText('behind-frame', 'something behind the last frame', (text) =>
    Buffer.concat([compressFrameSync(text, 3), Buffer.from('more')]),
  ),
  indexText('cut-frame', 'a frame without its last byte', (text) =>
    compressFrameSync(text, 3).subarray(0, -1),
  ),
  indexText('empty', 'no frame at all', () => Buffer.alloc(0)),
  indexText('large-window', 'a frame with a window of 128 MiB', () =>
    Buffer.concat([Buffer.from('28b52ffd0088', 'hex'), Buffer.from('0b000061', 'hex')]),
  ),
  scenario(
    'index-only-index-chunk',
    'the frame lies in an index chunk and the end chunk holds half a frame',
    'I-1',
    'CONTENTS_DISAGREE',
    forged({
      ...SMALL,
      indexChunks: (text) => [
        { kind: INDEX, plaintext: compressFrameSync(text, 3) },
        { kind: END, plaintext: compressFrameSync(Buffer.from('more'), 3).subarray(0, 8) },
      ],
    }),
  ),
  end('no-checksums', 'no SHA256SUMS', 'P-6', (manifest) => [manifest]),
  end('no-manifest', 'no MANIFEST.json', 'P-6', () => [
    { path: 'SHA256SUMS', content: checksumsText(tarOf(SMALL.members ?? []).entries) },
  ]),
  end('none', 'neither MANIFEST.json nor SHA256SUMS', 'P-6', () => []),
  end('checksums-first', 'SHA256SUMS before MANIFEST.json', 'P-6', (manifest, sums) => [sums, manifest]),
  end('behind-checksums', 'a member behind SHA256SUMS', 'P-6', (manifest, sums) => [
    manifest,
    sums,
    { path: 'app/late' },
  ]),
  end('between', 'a member between MANIFEST.json and SHA256SUMS', 'P-6', (manifest, sums) => [
    manifest,
    { path: 'app/late' },
    sums,
  ]),
  end('checksums-folder', 'SHA256SUMS as a folder', 'P-6', (manifest) => [
    manifest,
    { path: 'SHA256SUMS', type: 'directory' },
  ]),
  end('checksum', 'another hash in SHA256SUMS', 'P-6', (manifest, sums) => [
    manifest,
    { ...sums, content: String(sums.content).replace(/^[0-9a-f]{64}/, '0'.repeat(64)) },
  ]),
  end('checksum-missing', 'SHA256SUMS without a line', 'P-6', (manifest, sums) => [
    manifest,
    { ...sums, content: String(sums.content).replace(/^.*\n/, '') },
  ]),
  end('checksum-added', 'SHA256SUMS with a line too many', 'P-6', (manifest, sums) => [
    manifest,
    { ...sums, content: `${String(sums.content)}${'0'.repeat(64)}  app/more\n` },
  ]),
  end('manifest-json', 'a manifest that is not JSON', 'M-1', () => withManifest('{')),
  end('manifest-version', 'a manifest of another version', 'M-1', (_, __, id) =>
    withManifest(manifestText(id).replace('"manifest":1', '"manifest":2')),
  ),
  end('manifest-id', 'the manifest of another archive', 'M-1', () =>
    withManifest(manifestText('00'.repeat(16))),
  ),
  end('manifest-key', 'a manifest without a key', 'M-1', (_, __, id) =>
    withManifest(manifestText(id).replace('"app":"vectors",', '')),
  ),
]
