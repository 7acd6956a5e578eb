import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { pythonTar, pythonTars, type PythonEntry } from '../../../test/support/gpg-tar.ts'
import { inPieces } from '../../../test/support/sealed.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Member } from '../../member.ts'
import { readTarGz } from './read.ts'

interface Found {
  readonly member: Member
  readonly content: string
}

async function read(bytes: Buffer, limit = 100, piece = 4096): Promise<Found[]> {
  const found: Found[] = []
  for await (const { member, content } of readTarGz(inPieces(bytes, piece), { limit, name: 'a.tar.gz' })) {
    found.push({ member, content: Buffer.concat(await Array.fromAsync(content())).toString('latin1') })
  }
  return found
}

function tar(cwd: string, ...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('tar', args, { cwd, maxBuffer: 2 ** 28 })
  assert.equal(status, 0, stderr.toString())
  return stdout
}

const long = 'n'.repeat(99)
const paths = (found: readonly Found[]): string[] => found.map(({ member: { path } }) => path)
const forged = (entries: readonly PythonEntry[]): Promise<Found[]> => read(pythonTar(entries))

describe('a .tar.gz is read', () => {
  for (const format of ['gnu', 'oldgnu', 'ustar', 'posix']) {
    it(`as GNU tar writes it, format ${format}`, async () => {
      await using folder = await testFolder()
      await mkdir(folder.join('data', long), { recursive: true })
      await writeFile(folder.join('data', long, 'deep'), 'deep')
      await writeFile(folder.join('data', 'Zürich'), randomBytes(100_000))
      await chmod(folder.join('data', 'Zürich'), 0o4640)
      await writeFile(folder.join('proxy.env'), '')
      const named = await read(tar(folder.path, `--format=${format}`, '-czf', '-', 'data', 'proxy.env'))
      const rooted = await read(tar(folder.path, `--format=${format}`, '-czf', '-', '.'), 100, 97)
      for (const found of [named, rooted]) {
        assert.deepEqual(paths(found).sort(), [
          'data',
          'data/Zürich',
          `data/${long}`,
          `data/${long}/deep`,
          'proxy.env',
        ])
        const deep = found.find(({ member: { path } }) => path.endsWith('/deep'))
        assert.equal(deep?.content, 'deep')
        const city = found.find(({ member: { path } }) => path === 'data/Zürich')
        assert.equal(city?.content.length, 100_000)
        assert.equal(city.member.mode, 0o4640)
      }
    })
  }

  it('with numbers in base 256: an owner, a time before 1970, a size of 9 GiB', async () => {
    const found = await forged([{ name: 'x', uid: 4_000_000_000, mtime: -5, content: 'x' }])
    assert.equal(found[0]?.member.uid, 4_000_000_000)
    assert.equal(found[0].member.mtimeMs, -5000)
    await using folder = await testFolder()
    await writeFile(folder.join('huge'), '')
    await truncate(folder.join('huge'), 9 * 2 ** 30)
    const script = `tar --format=gnu -cf - huge 2>/dev/null | head -c 2048 | gzip -c`
    const { stdout } = spawnSync('sh', ['-c', script], { cwd: folder.path })
    const reading = readTarGz(inPieces(stdout, 512), { limit: 1 })
    const { value } = await reading.next()
    assert.equal(value?.member.size, 9 * 2 ** 30)
    await assert.rejects(Array.fromAsync(reading), { code: 'TAR_GZ_INVALID', message: /ends within huge/ })
  })

  it('with modes that carry a type, and with keywords of other programs', async () => {
    const plain = await forged([{ name: 'x', mode: 0o100600 }])
    assert.equal(plain[0]?.member.mode, 0o600)
    const pax = { 'SCHILY.xattr.user.note': 'x', 'LIBARCHIVE.creationtime': '1', mtime: '1778754625.5' }
    const found = await read(pythonTar([{ name: 'y', pax }], 'PAX_FORMAT'))
    assert.equal(found[0]?.member.mtimeMs, 1_778_754_625_500)
  })

  it('with content that is skipped, as far as it was not taken', async () => {
    const bytes = pythonTar([
      { name: 'a', content: 'a'.repeat(100_000) },
      { name: 'b', content: 'b'.repeat(100_000) },
      { name: 'c', content: 'c' },
    ])
    const seen: string[] = []
    for await (const { member, content } of readTarGz(inPieces(bytes, 100), { limit: 3 })) {
      seen.push(member.path)
      if (member.path === 'b') for await (const piece of content()) if (piece.length > 0) break
    }
    assert.deepEqual(seen, ['a', 'b', 'c'])
  })

  it('of several gzip members, as `cat` joins them', async () => {
    const bytes = gunzipSync(pythonTar([{ name: 'x', content: 'content' }]))
    const joined = Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))])
    assert.equal((await read(joined, 1, 50))[0]?.content, 'content')
  })
})

describe('a .tar.gz that is not read', () => {
  const refused: [string, PythonEntry[], RegExp][] = [
    ['an absolute path', [{ name: '/etc/passwd' }], /\/etc\/passwd is refused: its name is absolute/],
    ['..', [{ name: 'data/../../x' }], /data\/\.\.\/\.\.\/x is refused: its name has a part "\.\."/],
    ['.. behind ./', [{ name: './../x' }], /"\.\."/],
    ['a symlink', [{ name: 'x', kind: 'SYMTYPE', link: '/etc' }], /x is refused: it is a symlink/],
    ['a symlink with a long target', [{ name: 'x', kind: 'SYMTYPE', link: long + long }], /it is a symlink/],
    ['a hard link', [{ name: 'a' }, { name: 'x', kind: 'LNKTYPE', link: 'a' }], /it is a hard link/],
    ['a character device', [{ name: 'x', kind: 'CHRTYPE' }], /it is a character device/],
    ['a block device', [{ name: 'x', kind: 'BLKTYPE' }], /it is a block device/],
    ['a FIFO', [{ name: 'x', kind: 'FIFOTYPE' }], /it is a FIFO/],
    ['a contiguous file', [{ name: 'x', kind: 'CONTTYPE' }], /tar type "7"/],
    [
      'a name that appears twice',
      [{ name: 'x' }, { name: './x' }],
      /\.\/x is refused: its name appears twice/,
    ],
    ['a file that is a folder, too', [{ name: 'x' }, { name: 'x/y' }], /passes through the file "x"/],
    ['an empty part', [{ name: 'x//y' }], /empty part/],
  ]
  for (const format of ['GNU_FORMAT', 'PAX_FORMAT'] as const) {
    const made = pythonTars(
      refused.map(([, entries]) => entries),
      format,
    )
    for (const [at, [what, , message]] of refused.entries()) {
      it(`is refused by name: ${what} (${format})`, async () => {
        await assert.rejects(read(made[at] ?? Buffer.alloc(0)), { code: 'MEMBER_REFUSED', message })
      })
    }
  }

  it('is refused by name: a sparse file, in each way to write one', async () => {
    await using folder = await testFolder()
    await writeFile(folder.join('holes'), 'x')
    await truncate(folder.join('holes'), 1_000_000)
    for (const format of ['gnu', 'posix']) {
      const bytes = tar(folder.path, `--format=${format}`, '--sparse', '-czf', '-', 'holes')
      await assert.rejects(read(bytes), { code: 'MEMBER_REFUSED', message: /sparse/ })
    }
    await symlink('holes', folder.join('link'))
    await assert.rejects(read(tar(folder.path, '-czf', '-', 'link')), { code: 'MEMBER_REFUSED' })
  })

  it('is refused where it has more members than allowed', async () => {
    const entries = ['./', 'a', 'b', 'c'].map((name): PythonEntry =>
      name === './' ? { name, kind: 'DIRTYPE' } : { name },
    )
    assert.deepEqual(paths(await read(pythonTar(entries), 3)), ['a', 'b', 'c'])
    await assert.rejects(read(pythonTar(entries), 2), {
      code: 'MEMBER_REFUSED',
      message: 'member c is refused: it is one more than the 2 members allowed',
    })
  })

  it('is refused where a name or a header claims more than a path may have', async () => {
    await assert.rejects(forged([{ name: 'x'.repeat(5000) }]), {
      code: 'MEMBER_REFUSED',
      message: /5001 bytes/,
    })
    const pax = pythonTar([{ name: 'x', pax: { comment: 'x'.repeat(70_000) } }], 'PAX_FORMAT')
    await assert.rejects(read(pax), { code: 'MEMBER_REFUSED', message: /more than 65536/ })
  })

  it('is one that is cut, at every byte', async () => {
    const bytes = pythonTar([{ name: 'x', content: 'content' }])
    for (let at = 0; at < bytes.length; at++) {
      await assert.rejects(read(bytes.subarray(0, at)), { code: 'TAR_GZ_CUT' }, `at ${at}`)
    }
  })

  it('is one whose tar has no end, whose gzip is broken, or that goes on', async () => {
    const plain = gunzipSync(pythonTar([{ name: 'x', content: 'content' }]))
    const broken = gzipSync(plain)
    broken.writeUInt8((broken.at(-6) ?? 0) ^ 1, broken.length - 6)
    const cases: [Buffer, RegExp][] = [
      [gzipSync(plain.subarray(0, 1024)), /the tar has no end/],
      [gzipSync(plain.subarray(0, 1536)), /the tar has no end/],
      [gzipSync(plain.subarray(0, 515)), /ends within x/],
      [gzipSync(Buffer.alloc(0)), /the tar has no end/],
      [gzipSync(Buffer.concat([plain, Buffer.from('x')])), /something stands behind the end/],
      [gzipSync(Buffer.concat([plain.subarray(0, 1024), Buffer.alloc(512), plain])), /one block of zeros/],
      [gzipSync(randomBytes(2048)), /not ustar/],
      [gzipSync(Buffer.concat([Buffer.from('y'), plain.subarray(1)])), /checksum/],
      [broken, /its gzip is broken/],
      [plain, /its gzip is broken/],
      [
        Buffer.concat([gzipSync(plain), Buffer.from('more')]),
        /something follows its gzip|its gzip is broken/,
      ],
    ]
    for (const [bytes, message] of cases) {
      await assert.rejects(read(bytes), { code: 'TAR_GZ_INVALID', message })
      await assert.rejects(read(bytes, 9, 1), { code: 'TAR_GZ_INVALID', message })
    }
  })

  it('expands as far as it is asked for, whatever it holds', async () => {
    async function* bomb(): AsyncGenerator<Buffer> {
      for (;;) {
        pieces += 1
        yield zeros
      }
    }
    let pieces = 0
    const zeros = gzipSync(Buffer.alloc(1 << 24)).subarray(0, 16_000)
    const reading = readTarGz(bomb(), { limit: 1 })
    await assert.rejects(Array.fromAsync(reading), { code: 'TAR_GZ_INVALID' })
    assert.ok(pieces < 10, `${pieces} pieces of 16 MiB were taken`)
  })

  it('closes its input, and passes its errors on as they are', async () => {
    const failure = new Error('the disk is gone')
    const bytes = pythonTar([{ name: 'x', content: randomBytes(90_000).toString('hex') }])
    let closed = false
    async function* input(count: number): AsyncGenerator<Buffer> {
      try {
        yield* inPieces(bytes.subarray(0, count), 1000)
        throw failure
      } finally {
        closed = true
      }
    }
    await assert.rejects(
      Array.fromAsync(readTarGz(input(50_000), { limit: 1 })),
      (error) => error === failure,
    )
    assert.ok(closed)
    closed = false
    for await (const { member } of readTarGz(input(bytes.length), { limit: 1 })) {
      assert.equal(member.path, 'x')
      break
    }
    assert.ok(closed)
  })
})
