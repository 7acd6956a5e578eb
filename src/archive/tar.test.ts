import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { tarOf } from '../../spec/vectors/forge.ts'
import { inPieces, member } from '../../test/support/sealed.ts'
import type { Member } from '../member.ts'
import { ByteReader } from './byte-reader.ts'
import { TarReader } from './tar-reader.ts'

const folder = await mkdtemp(join(tmpdir(), 'sealift-tar-'))
after(() => rm(folder, { recursive: true }))

const long = 'n'.repeat(120)
const members: Member[] = [
  member('app', 0, { type: 'directory', mode: 0o750 }),
  member('app/file', 5, { mode: 0o4755, uid: 2_097_151 }),
  member(`app/${long}/${long}`, 0),
  member(`${'p'.repeat(100)}/${'q'.repeat(99)}`, 600),
  member('app/Zürich 東京', 1, { mtimeMs: 1_700_000_000_123.456 }),
  member('app/old', 0, { mtimeMs: -1_500.25 }),
  member('app/late', 0, { mtimeMs: Date.parse('2300-01-01T00:00:00Z') }),
  member('app/owner', 0, { uid: 2_097_152, gid: 4_294_967_294 }),
  member('app/sym', 0, { type: 'symlink', link: `../${long}/ü`, mode: 0o777 }),
  member('app/hard', 0, { type: 'hardlink', link: 'app/file' }),
  member(`${'d'.repeat(99)}/`.repeat(40) + 'e'.repeat(96), 3),
]
const { tar } = tarOf(members.map((one) => ({ ...one, content: Buffer.alloc(one.size, 'content') })))

async function read(bytes: Buffer): Promise<{ member: Member; content: string }[]> {
  const input = new ByteReader(inPieces(bytes, 700))
  const reader = new TarReader(input)
  const found = []
  for (let one = await reader.next(); one !== undefined; one = await reader.next()) {
    found.push({ member: one, content: (await input.read(one.size)).toString() })
  }
  return found
}

function run(command: string, args: string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    input,
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
  })
  assert.equal(status, 0, stderr.toString())
  return stdout.toString()
}

describe('the tar codec', () => {
  it('reads what it writes', async () => {
    assert.deepEqual(
      (await read(tar)).map((one) => one.member),
      members,
    )
  })

  it('is read by GNU tar as it was meant', async () => {
    await writeFile(join(folder, 'ours.tar'), tar)
    const listed = run('tar', [
      '--list',
      '--verbose',
      '--full-time',
      '--numeric-owner',
      '--quoting-style=literal',
      '-f',
      'ours.tar',
    ])
    const lines = listed.trimEnd().split('\n')
    assert.equal(lines.length, members.length)
    assert.match(lines[0] ?? '', /^drwxr-x--- 1000\/1000 +0 2026-01-02 03:04:05 +app\/$/)
    assert.match(lines[1] ?? '', /^-rwsr-xr-x 2097151\/1000 +5 .* app\/file$/)
    assert.ok(lines[2]?.endsWith(` app/${long}/${long}`))
    assert.match(lines[4] ?? '', /2023-11-14 22:13:20\.123456 +app\/Zürich 東京$/)
    // GNU tar 1.34 writes the same record for such a time, and itself lists it a second late.
    assert.match(lines[5] ?? '', / 1969-12-31 .* app\/old$/)
    assert.match(lines[6] ?? '', /2300-01-01 00:00:00 +app\/late$/)
    assert.match(lines[7] ?? '', /2097152\/4294967294 /)
    assert.ok(lines[8]?.endsWith(` app/sym -> ../${long}/ü`))
    assert.ok(lines[9]?.endsWith(' app/hard link to app/file'))
  })

  it('is read by Python as it was meant', async () => {
    await writeFile(join(folder, 'ours.tar'), tar)
    const script = `
import json, sys, tarfile
kinds = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}
print(json.dumps([[m.name, kinds[m.type], m.linkname, m.size, m.mode, m.uid, m.gid, round(m.mtime * 1000000)] for m in tarfile.open("ours.tar")]))`
    assert.deepEqual(
      JSON.parse(run('python3', ['-c', script])),
      members.map((one) => [
        one.path,
        one.type,
        one.link ?? '',
        one.size,
        one.mode,
        one.uid,
        one.gid,
        Math.round(one.mtimeMs * 1000),
      ]),
    )
  })

  it('reads what GNU tar and Python write as pax', async () => {
    const script = `
import io, tarfile
def build(name, format):
    with tarfile.open(name, "w", format=format) as tar:
        def add(path, type=tarfile.REGTYPE, content=b"", **rest):
            info = tarfile.TarInfo(path)
            info.type, info.size, info.mtime = type, len(content), 1700000000.25
            for key, value in rest.items(): setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
        add("d", tarfile.DIRTYPE, mode=0o755)
        add("d/" + "ü" * 150, content=b"hello", uid=3000000)
        add("d/link", tarfile.SYMTYPE, linkname="x" * 200)
        add("d/hard", tarfile.LNKTYPE, linkname="d/" + "ü" * 150)
build("python.tar", tarfile.PAX_FORMAT)`
    run('python3', ['-c', script])
    const python = await read(await readFile(join(folder, 'python.tar')))
    assert.deepEqual(
      python.map((one) => one.member.type),
      ['directory', 'file', 'symlink', 'hardlink'],
    )
    assert.equal(python[1]?.content, 'hello')
    assert.equal(python[1].member.uid, 3_000_000)
    assert.equal(python[1].member.mtimeMs, 1_700_000_000_250)
    assert.equal(python[1].member.path, `d/${'ü'.repeat(150)}`)

    run('sh', [
      '-c',
      `mkdir -p t/sub && printf hello > "t/sub/ü ${long}" && ln -s ../x t/sub/sym && ln "t/sub/ü ${long}" t/hard && tar --format=posix --sort=name --pax-option=delete=atime,delete=ctime -cf gnu.tar t`,
    ])
    const gnu = await read(await readFile(join(folder, 'gnu.tar')))
    assert.deepEqual(
      gnu.map(({ member: { path, type } }) => [path, type]),
      [
        ['t', 'directory'],
        ['t/hard', 'file'],
        ['t/sub', 'directory'],
        ['t/sub/sym', 'symlink'],
        [`t/sub/ü ${long}`, 'hardlink'],
      ],
    )
  })

  it('says sizes of 8 GiB and more in a pax record', async () => {
    const size = 2 ** 40 + 5
    const { tar: head } = tarOf([{ path: 'huge', size }])
    const reader = new TarReader(new ByteReader(inPieces(head, 512)))
    assert.equal((await reader.next())?.size, size)
    await writeFile(join(folder, 'huge.tar'), head)
    const { stdout } = spawnSync('tar', ['-tvf', 'huge.tar'], { cwd: folder })
    assert.match(stdout.toString(), / 1099511627781 /)
  })
})
