import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { inPieces, member } from '../../../test/support/sealed.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { readTarGz } from './read.ts'
import { writeTarGz, type TarGzEntry } from './write.ts'

const big = randomBytes(200_000)
const long = `${'d'.repeat(90)}/${'ü'.repeat(90)}`
const entry = (path: string, content: Buffer): TarGzEntry => ({
  member: member(path, content.length, { mode: 0o600, mtimeMs: 1_778_754_625_250 }),
  content: () => inPieces(content, 5000),
})
const folderEntry = (path: string): TarGzEntry => ({
  member: member(path, 0, { type: 'directory', mode: 0o750 }),
})
const entries = [
  folderEntry('data'),
  entry('data/mcp_proxy.db', big),
  entry('data/empty', Buffer.alloc(0)),
  entry(long, Buffer.from('deep')),
]

async function write(
  list: Iterable<TarGzEntry>,
  options?: Parameters<typeof writeTarGz>[1],
): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTarGz(list, options)))
}

describe('a .tar.gz is written', () => {
  for (const prefix of ['', './'] as const) {
    it(`so that it is read again, with ${JSON.stringify(prefix)} before the names`, async () => {
      const found = []
      const bytes = await write(entries, { prefix })
      for await (const { member, content } of readTarGz(inPieces(bytes, 999), { limit: 4 })) {
        found.push({ member, size: Buffer.concat(await Array.fromAsync(content())).length })
      }
      assert.deepEqual(
        found.map((one) => one.member),
        entries.map((one) => one.member),
      )
      assert.deepEqual(
        found.map((one) => one.size),
        [0, 200_000, 0, 4],
      )
    })

    it(`so that GNU tar unpacks it, with ${JSON.stringify(prefix)} before the names`, async () => {
      await using folder = await testFolder()
      const input = await write(entries, { prefix, level: 1 })
      const unpacked = spawnSync('tar', ['xzf', '-', '--warning=all'], { cwd: folder.path, input })
      assert.equal(unpacked.stderr.toString(), '')
      const listed = spawnSync('tar', ['tzf', '-', '--quoting-style=literal'], { input })
      const names = ['data/', 'data/mcp_proxy.db', 'data/empty', long]
      assert.deepEqual(
        listed.stdout.toString().trimEnd().split('\n'),
        names.map((name) => `${prefix}${name}`),
      )
      const same = spawnSync('cmp', ['-', folder.join('data', 'mcp_proxy.db')], { input: big })
      assert.equal(same.status, 0)
    })
  }

  it('from buffers that are used again', async () => {
    async function* reused(): AsyncGenerator<Buffer> {
      const buffer = Buffer.alloc(7000)
      for (let at = 0; at < big.length; at += buffer.length) {
        yield buffer.subarray(0, big.copy(buffer, 0, at))
        buffer.fill(0)
      }
    }
    const bytes = await write([{ member: member('x', big.length), content: reused }])
    for await (const { content } of readTarGz(inPieces(bytes, 999), { limit: 1 })) {
      assert.ok(Buffer.concat(await Array.fromAsync(content())).equals(big))
    }
  })

  it('never with what a reader would refuse', async () => {
    const lists = [
      [entry('../x', big)],
      [entry('/x', big)],
      [entry('x', big), entry('x', big)],
      [{ member: member('x', 0, { type: 'symlink', link: 'y' }) }],
      [{ member: member('x', 0, { type: 'hardlink', link: 'y' }) }],
    ] as const
    for (const list of lists) await assert.rejects(write(list), { code: 'MEMBER_REFUSED' })
  })

  it('never with content of another size than announced', async () => {
    for (const size of [0, 1, big.length - 1, big.length + 1]) {
      const list = [{ member: member('x', size), content: () => inPieces(big, 5000) }]
      await assert.rejects(write(list), { code: 'MEMBER_SIZE_DIFFERS' })
    }
  })

  it('without an end where an entry fails, and until it is told to stop', async () => {
    const failure = new Error('the disk is gone')
    async function* failing(): AsyncGenerator<Buffer> {
      yield big
      throw failure
    }
    const list = [{ member: member('x', 1e9), content: failing }]
    await assert.rejects(write(list), (error) => error === failure)
    await assert.rejects(write(entries, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  })
})
