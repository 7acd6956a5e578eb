import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { after, describe, it } from 'node:test'
import { isSealiftError, type ErrorCode } from '../../src/errors.ts'
import { readGpg } from '../../src/formats/gpg/read.ts'
import { writeGpg } from '../../src/formats/gpg/write.ts'
import { readTarGz } from '../../src/formats/tar-gz/read.ts'
import type { Secret } from '../../src/secret.ts'
import { encryptedBare, literal, slot } from '../support/gpg-forge.ts'
import { gpgHome } from '../support/gpg-home.ts'
import { pythonTar } from '../support/gpg-tar.ts'
import { inPieces } from '../support/sealed.ts'

const home = await gpgHome()
after(() => home[Symbol.asyncDispose]())

const passphrase = Buffer.from('correct horse')
const random = randomBytes(200_001)
const text = Buffer.alloc(200_001, 'the same words again and again; ')
/** Cheap, for the tests that are not about the count. (gpg takes 1024, the least, for its own default: the largest.) */
const quick = ['--symmetric', '--s2k-count', '65536'] as const

async function open(bytes: Buffer, key: Secret | Buffer = passphrase): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readGpg(inPieces(bytes, 65_536), key)))
}

async function codeOf(bytes: Buffer, key?: Secret | Buffer): Promise<ErrorCode | 'accepted'> {
  const error: unknown = await open(bytes, key).then(
    () => undefined,
    (refusal: unknown) => refusal,
  )
  if (error === undefined) return 'accepted'
  if (!isSealiftError(error)) throw error
  return error.code
}

async function write(data: Buffer, key: Secret | Buffer = passphrase): Promise<Buffer> {
  const options = { random: randomBytes, mtime: new Date('2026-05-14T10:30:25Z') }
  return Buffer.concat(await Array.fromAsync(writeGpg(inPieces(data, 10_000), key, options)))
}

/** What gpg makes of a file that it is given by name, which it stores, and of one that it is piped. */
async function bothWays(args: readonly string[], data: Buffer): Promise<Buffer[]> {
  await writeFile(home.join('backup.tar.gz'), data)
  home.gpg([...args, '--output', home.join('out.gpg'), home.join('backup.tar.gz')])
  return [await readFile(home.join('out.gpg')), home.gpg(args, data)]
}

describe('what gpg encrypts is read', () => {
  const options: (readonly string[])[] = [
    ['--symmetric', '--cipher-algo', 'AES256'],
    ['--symmetric', '--cipher-algo', 'AES256', '--s2k-digest-algo', 'SHA512', '--s2k-count', '65011712'],
    [...quick],
    [...quick, '--cipher-algo', 'AES'],
    [...quick, '--cipher-algo', 'AES192'],
    [...quick, '--cipher-algo', 'AES256', '--s2k-digest-algo', 'SHA512'],
    [...quick, '--cipher-algo', 'AES192', '--s2k-digest-algo', 'SHA256'],
    [...quick, '--s2k-digest-algo', 'SHA224', '--s2k-mode', '1'],
    [...quick, '--s2k-digest-algo', 'SHA384', '--s2k-mode', '0'],
    ['--symmetric', '--s2k-count', '1088'],
    ['--symmetric', '--s2k-count', '3000000'],
    [...quick, '--compress-algo', 'none'],
    [...quick, '--compress-algo', 'zip', '-z', '9'],
    [...quick, '--compress-algo', 'zlib'],
  ]
  for (const args of options) {
    it(`with ${args.join(' ')}, of a file and of a pipe`, async () => {
      for (const data of [random, text]) {
        for (const bytes of await bothWays(args, data)) assert.ok((await open(bytes)).equals(data))
      }
    })
  }

  it('at every edge of its buffers', async () => {
    for (const size of [0, 1, 191, 192, 8191, 8192, 65_535, 65_536, 65_537]) {
      const data = random.subarray(0, size)
      for (const bytes of await bothWays([...quick], data)) {
        assert.ok((await open(bytes)).equals(data), `${size} bytes`)
      }
    }
  })

  it('for a passphrase and a public key at once, by the passphrase', async () => {
    await home.passphrase('\n')
    home.gpg(['--quick-generate-key', 'somebody', 'rsa2048', 'encrypt'])
    home.gpg(['--quick-generate-key', 'signer', 'rsa2048', 'sign'])
    await home.passphrase('correct horse\n')
    const both = home.gpg([...quick, '--encrypt', '--recipient', 'somebody'], text)
    assert.ok((await open(both)).equals(text))
    assert.equal(await codeOf(both, Buffer.from('another')), 'GPG_PASSPHRASE_WRONG')
    const alone = home.gpg(['--encrypt', '--recipient', 'somebody'], text)
    assert.equal(await codeOf(alone), 'GPG_NO_PASSPHRASE')
    await home.passphrase('\n')
    const signed = home.gpg(['--sign', '--local-user', 'signer'], text)
    assert.equal(await codeOf(signed), 'GPG_NOT_A_MESSAGE')
  })

  it('and the tar.gz in it', async () => {
    await home.passphrase('correct horse\n')
    const archive = pythonTar([{ name: './data/mcp_proxy.db', content: 'content' }])
    const plain = readGpg(inPieces(home.gpg(quick, archive), 999), passphrase)
    const members = await Array.fromAsync(readTarGz(plain, { limit: 1 }), ({ member }) => member.path)
    assert.deepEqual(members, ['data/mcp_proxy.db'])
  })
})

describe('what is not read is refused by name', () => {
  const refused: [string, readonly string[], RegExp][] = [
    ['Camellia', ['--cipher-algo', 'CAMELLIA256'], /the cipher Camellia-256/],
    ['Twofish', ['--cipher-algo', 'TWOFISH'], /the cipher Twofish/],
    ['RIPEMD-160', ['--s2k-digest-algo', 'RIPEMD160'], /the passphrase hash RIPEMD-160/],
    ['BZip2', ['--compress-algo', 'bzip2'], /BZip2 compression/],
    ['armor', ['--armor'], /ASCII armor/],
    ['text', ['--textmode', '--compress-algo', 'none'], /literal data packet of text/],
  ]
  for (const [what, args, message] of refused) {
    it(what, async () => {
      const bytes = home.gpg([...quick, ...args], Buffer.from('a line\n'.repeat(999)))
      await assert.rejects(open(bytes), { code: 'GPG_UNSUPPORTED', message })
    })
  }

  it('a message without modification detection, which gpg says is one, too', async () => {
    const bytes = Buffer.concat([slot(), encryptedBare(literal(text.subarray(0, 99)))])
    const { err } = home.try(['--decrypt'], bytes)
    assert.match(err, /not integrity protected/)
    assert.equal(await codeOf(bytes), 'GPG_NOT_AUTHENTICATED')
  })
})

describe('what is written here, gpg decrypts', () => {
  it('at every edge of its parts', async () => {
    for (const size of [0, 1, 65_535 - 6, 65_535, 65_536, 65_537, 200_001]) {
      const data = random.subarray(0, size)
      assert.ok(home.gpg(['--decrypt'], await write(data)).equals(data), `${size} bytes`)
    }
  })

  it('as the packets that it would write itself', async () => {
    for (const size of [9, 200_001]) {
      const listed = home.gpg(['--list-packets'], await write(random.subarray(0, size))).toString()
      assert.match(listed, /:symkey enc packet: version 4, cipher 9, aead 0,\s*s2k 3, hash 10\n/)
      assert.match(listed, /count 65011712 \(255\)/)
      assert.match(listed, /mdc_method: 2/)
      assert.match(listed, /:literal data packet:\n\tmode b \(62\), created 1778754625, name=""/)
      assert.doesNotMatch(listed, /compressed/)
    }
  })
})

describe('a passphrase file means the same to both', () => {
  const files: [string, Buffer, Buffer][] = [
    ['a line', Buffer.from('secret word\n'), Buffer.from('secret word')],
    ['no line feed', Buffer.from('secret word'), Buffer.from('secret word')],
    ['CRLF', Buffer.from('secret word\r\n'), Buffer.from('secret word\r')],
    ['two lines', Buffer.from('secret word\nanother\n'), Buffer.from('secret word')],
    ['spaces', Buffer.from('  secret word \n'), Buffer.from('  secret word ')],
    ['UTF-8', Buffer.from('Schlüssel 東京\n'), Buffer.from('Schlüssel 東京')],
    ['Latin-1', Buffer.from('Schlüssel\n', 'latin1'), Buffer.from('Schlüssel', 'latin1')],
  ]
  for (const [what, file, bytes] of files) {
    it(what, async () => {
      await home.passphrase(file)
      assert.ok((await open(home.gpg(quick, text), bytes)).equals(text))
      assert.ok(home.gpg(['--decrypt'], await write(random, bytes)).equals(random))
    })
  }

  it('so that CRLF and LF are two passphrases to both', async () => {
    await home.passphrase('secret word\r\n')
    const bytes = home.gpg(quick, text)
    assert.equal(await codeOf(bytes, Buffer.from('secret word')), 'GPG_PASSPHRASE_WRONG')
    const { code, err } = home.try(['--decrypt'], await write(text, Buffer.from('secret word')))
    assert.equal(code, 2)
    assert.match(err, /Bad session key/)
  })
})
