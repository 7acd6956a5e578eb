import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { open, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { gpgHome } from '../support/gpg-home.ts'

const home = await gpgHome()
after(() => home[Symbol.asyncDispose]())

const program = path.resolve(import.meta.dirname, '../support/gpg-child.ts')
const MEMORY_LIMIT = 150

interface ChildReport {
  readonly plain: number
  readonly taken: number
  readonly failure?: string
  readonly sha256: string
  /** MiB. */
  readonly peak: number
}

function child(...args: string[]): ChildReport {
  return JSON.parse(execFileSync(process.execPath, [program, ...args], { encoding: 'utf8' })) as ChildReport
}

/** The SHA-256 of what gpg makes of a file. */
async function decryptedHash(file: string): Promise<string> {
  home.gpg(['--output', home.join('plain'), '--decrypt', file])
  const hash = createHash('sha256')
  await using plain = await open(home.join('plain'))
  for await (const piece of plain.createReadStream()) hash.update(piece as Buffer)
  return hash.digest('hex')
}

describe('100 MiB', () => {
  const ours = home.join('ours.gpg')

  it('are written in bounded memory, and gpg decrypts them', async () => {
    const { plain, sha256, peak } = child('write', ours, '100', 'correct horse')
    assert.equal(plain, 100 << 20)
    assert.ok(peak < MEMORY_LIMIT, `${peak} MiB`)
    assert.equal(await decryptedHash(ours), sha256)
  })

  it('are read in bounded memory, as gpg wrote them and as they were written here', () => {
    const options = ['--symmetric', '--cipher-algo', 'AES256', '--s2k-count', '65536', '--compress-algo']
    home.gpg([...options, 'zlib', '-z', '1', '--output', home.join('theirs.gpg'), home.join('plain')])
    const reports = [ours, home.join('theirs.gpg')].map((file) => child('read', file, 'correct horse'))
    for (const { plain, failure, peak } of reports) {
      assert.equal(failure, undefined)
      assert.equal(plain, 100 << 20)
      assert.ok(peak < MEMORY_LIMIT, `${peak} MiB`)
    }
    assert.equal(reports[0]?.sha256, reports[1]?.sha256)
  })
})

describe('500 MB and a wrong passphrase', () => {
  for (const [kind, args] of [
    ['in parts, from a pipe', ['--symmetric', '--cipher-algo', 'AES256']],
    ['for a public key too', ['--symmetric', '--encrypt', '--recipient', 'somebody']],
  ] as const) {
    it(`are told before a mebibyte is read: ${kind}`, async () => {
      await home.passphrase('\n')
      home.try(['--quick-generate-key', 'somebody', 'rsa2048', 'encrypt'])
      await home.passphrase('correct horse\n')
      const file = home.join('large.gpg')
      await writeFile(file, home.gpg([...args], Buffer.alloc(3_000_000, 'x')))
      await truncate(file, 500_000_000)
      assert.equal((await stat(file)).size, 500_000_000)
      const { failure, taken, plain, peak } = child('read', file, 'wrong')
      assert.equal(failure, 'GPG_PASSPHRASE_WRONG')
      assert.equal(plain, 0)
      assert.ok(taken < 1 << 20, `${taken} bytes were taken`)
      assert.ok(peak < MEMORY_LIMIT, `${peak} MiB`)
    })
  }
})
