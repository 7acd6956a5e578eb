import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { program } from '../support/journey-program.ts'
import type { EnterpriseOptions, RawMember } from '../support/mastio-archives.ts'
import { enterpriseArchive, hostileArchive, seedArchive } from '../support/mastio-archives.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'

const passphrase = 'six random words make one'
/** Cheap, for the tests that are not about the count. */
const quick = ['--s2k-count', '65536']

/** All rows of all tables. */
function contentOf(database: string): unknown {
  using db = new DatabaseSync(database, { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  return tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${String(name)}"`).all()])
}

function wipe({ bundle: { path, data, nginxCerts, certs, samlKeys } }: Installation): void {
  for (const part of [data, nginxCerts, certs, samlKeys, join(path, 'proxy.env')])
    rmSync(part, { recursive: true, force: true })
}

function stored(at: Installation): string {
  mkdirSync(at.join('archives'), { mode: 0o700, recursive: true })
  return at.join('archives')
}

/** Every name, mode, owner, time and byte in a folder. */
function bytesOf(folder: string): string {
  const look =
    'cd "$1" && find . -printf "%p %m %U %G %T@\\n" | sort && find . -type f -exec sha256sum {} + | sort'
  return execFileSync('sh', ['-c', look, 'sh', folder], { encoding: 'utf8' })
}

/** Restores over the live bundle, which must stay as it is to the last byte and mode, and gives the refusal. */
async function refusedBy(at: Installation, archive: string, ...more: string[]): Promise<string> {
  const before = bytesOf(at.bundle.path)
  const told = await at.tell(['restore', archive, '--force', ...more])
  assert.equal(told.ok, false, archive)
  assert.equal(bytesOf(at.bundle.path), before)
  assert.deepEqual(execFileSync('ls', ['-A', at.join('state/incoming')], { encoding: 'utf8' }), '')
  return `${told.error?.code} ${told.error?.message}`
}

function mode(path: string): string {
  const { mode, uid } = statSync(path)
  return `${(mode & 0o7777).toString(8)}${process.geteuid?.() === 0 ? ` ${uid}` : ''}`
}

test('an archive of the page’s own commands restores: over the application, and where nothing is', async () => {
  await using at = await installMastio()
  const { bundle } = at
  const content = contentOf(bundle.database)
  const env = readFileSync(join(bundle.path, 'proxy.env'))
  const archive = seedArchive(bundle, stored(at), { passphrase })
  wipe(at)
  const restored = await at.tell(['restore', 'latest'])
  assert.equal(restored.ok, true, JSON.stringify(restored))
  assert.deepEqual(
    [restored.result.archive.name, restored.result.archive.format, restored.result.archive.created_at],
    [basename(archive), 'gpg', '2026-05-14T10:30:25Z'],
  )
  assert.deepEqual(contentOf(bundle.database), content)
  assert.deepEqual(readFileSync(join(bundle.path, 'proxy.env')), env)
  assert.ok(existsSync(join(bundle.nginxCerts, '.generation')))
  const own = process.geteuid?.() === 0 ? ' 10001' : ''
  assert.equal(mode(bundle.database), `600${own}`)
  assert.equal(mode(bundle.data), `750${own}`)
  assert.equal(mode(join(bundle.nginxCerts, 'mastio-server.key')), `600${own}`)
  assert.equal(mode(join(bundle.nginxCerts, 'org-ca.crt')), `644${own}`)

  // No configuration, no state, another place: the archive and its passphrase are enough.
  const other = at.join('other')
  const args = [archive, '--no-config', '--passphrase-file', 'pass']
  const nowhere = await at.tell(['restore', ...args])
  assert.equal(nowhere.error?.code, 'DESTINATION_UNKNOWN')
  const elsewhere = await at.tell(['restore', ...args, '--into', other])
  assert.equal(elsewhere.ok, true, JSON.stringify(elsewhere))
  assert.deepEqual(contentOf(join(other, 'data/mcp_proxy.db')), content)
  const look = await at.tell(['restore', ...args, '--to', at.join('look')])
  assert.equal(look.ok, true, JSON.stringify(look))
  assert.deepEqual(contentOf(at.join('look/data/mcp_proxy.db')), content)
  // It brought no manifest, so none is said to have come with it; a drill has nothing to compare with, either.
  assert.ok(!existsSync(at.join('look/MANIFEST.json')))
  const drilled = await at.tell(['drill'])
  const [drill] = drilled.result.drills as { verdict: string; drift: string[] }[]
  assert.deepEqual([drilled.ok, drill?.drift], [true, []], JSON.stringify(drilled))
})

test('an archive of the enterprise script restores, into the folders that its proxy.env names', async () => {
  await using at = await installMastio({ edition: 'enterprise', saml: true, relocated: 'moved' })
  const { bundle } = at
  const content = contentOf(bundle.database)
  const archive = enterpriseArchive(bundle, stored(at), { passphrase, gpg: quick })
  const args = [archive, '--no-config', '--passphrase-file', 'pass', '--into', at.join('other')]
  const restored = await at.tell(['restore', ...args])
  assert.equal(restored.ok, true, JSON.stringify(restored))
  assert.deepEqual(contentOf(at.join('other/moved/data/mcp_proxy.db')), content)
  assert.ok(existsSync(at.join('other/moved/saml-keys/saml.key')))
  assert.ok(!existsSync(at.join('other/MANIFEST.txt')))
  const [blocked] = restored.result.blocked as { check: string }[]
  assert.equal(blocked?.check, 'license-redacted')
  // The root entry of the tar says 0700, and that is not applied to the bundle.
  assert.notEqual(mode(at.join('other')).split(' ')[0], '777')
})

describe('over a live bundle, nothing is touched by', () => {
  let at: Installation
  before(async () => {
    at = await installMastio({ edition: 'enterprise', saml: true })
  })
  after(() => at[Symbol.asyncDispose]())

  test('an enterprise archive that is not what its MANIFEST.txt says', async () => {
    const changes: Record<string, { change: NonNullable<EnterpriseOptions['change']>; refusal: RegExp }> = {
      checksum: {
        change: (stage) => appendFileSync(join(stage, 'nginx-certs/org-ca.crt'), '\n'),
        refusal: /^MEMBER_REFUSED member nginx-certs\/org-ca.crt .*SHA-256/,
      },
      unlisted: {
        change: (stage) => writeFileSync(join(stage, 'nginx-certs/extra.crt'), 'x'),
        refusal: /^MEMBER_REFUSED member nginx-certs\/extra.crt .*does not list it/,
      },
      foreign: {
        change: (stage) => writeFileSync(join(stage, 'cron.sh'), 'x'),
        refusal: /^MEMBER_REFUSED member cron.sh /,
      },
      'no manifest': {
        change: (stage) => rmSync(join(stage, 'MANIFEST.txt')),
        refusal: /^FOREIGN_REFUSED .*it has no MANIFEST.txt/,
      },
      'no checksums': {
        change: (stage) => writeFileSync(join(stage, 'MANIFEST.txt'), 'Contents:\n\nSHA256 checksums:\n'),
        refusal: /^MEMBER_REFUSED member MANIFEST.txt .*no checksum/,
      },
      missing: {
        change: (stage) => rmSync(join(stage, 'saml-keys/saml.crt')),
        refusal: /^FOREIGN_REFUSED .*saml-keys\/saml.crt is in its MANIFEST.txt/,
      },
    }
    for (const [what, { change, refusal }] of Object.entries(changes)) {
      const archive = enterpriseArchive(at.bundle, at.folder, { passphrase, gpg: quick, change })
      assert.match(await refusedBy(at, archive), refusal, what)
      rmSync(archive)
    }
  })

  test('members that no archive may have', async () => {
    const database = { name: 'data/mcp_proxy.db.snapshot', content: readFileSync(at.bundle.database) }
    const hostile: Record<string, { members: readonly RawMember[]; refusal: RegExp }> = {
      'a way out': {
        members: [database, { name: '../x', content: 'x' }],
        refusal: /^MEMBER_REFUSED .*"\.\."/,
      },
      'an absolute name': {
        members: [{ name: at.join('x'), content: 'x' }, database],
        refusal: /^MEMBER_REFUSED .*absolute/,
      },
      'a symlink': {
        members: [database, { name: 'nginx-certs', type: '2', link: '/etc' }],
        refusal: /^MEMBER_REFUSED .*symlink/,
      },
      'a hard link': {
        members: [database, { name: 'nginx-certs/x', type: '1', link: 'data/mcp_proxy.db.snapshot' }],
        refusal: /^MEMBER_REFUSED .*hard link/,
      },
      'a device': {
        members: [database, { name: 'certs/null', type: '3' }],
        refusal: /^MEMBER_REFUSED .*device/,
      },
      'a FIFO': { members: [database, { name: 'certs/pipe', type: '6' }], refusal: /^MEMBER_REFUSED .*FIFO/ },
      'a name twice': {
        members: [
          database,
          { name: 'proxy.env', content: 'A=1\n' },
          { name: './proxy.env', content: 'A=2\n' },
        ],
        refusal: /^MEMBER_REFUSED .*twice/,
      },
      'two databases': {
        members: [database, { ...database, name: 'data/mcp_proxy.db' }],
        refusal: /^MEMBER_REFUSED .*already/,
      },
      'a log of the database': {
        members: [database, { name: 'data/mcp_proxy.db-wal', content: 'x' }],
        refusal: /^MEMBER_REFUSED member data\/mcp_proxy.db-wal/,
      },
      'no database': {
        members: [{ name: 'proxy.env', content: 'A=1\n' }],
        refusal: /^FOREIGN_REFUSED .*no database/,
      },
    }
    for (const [what, { members, refusal }] of Object.entries(hostile)) {
      const archive = hostileArchive(members, at.folder, { passphrase, gpg: quick })
      assert.match(await refusedBy(at, archive), refusal, what)
      rmSync(archive)
      assert.ok(!existsSync(at.join('x')) && !existsSync(at.join('../x')), what)
    }
  })

  for (const [form, gpg] of [
    ['compressed, with the default string-to-key', []],
    ['literal, with SHA-512', ['--compress-algo', 'none', '--s2k-digest-algo', 'SHA512']],
  ] as const) {
    test(`a flipped byte, a cut file and a wrong passphrase, each with its own word: ${form}`, async () => {
      const folder = at.join('one')
      mkdirSync(folder)
      const archive = seedArchive(at.bundle, folder, { passphrase, gpg })
      const bytes = readFileSync(archive)
      const refusals: string[] = []
      for (const place of [200, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const flipped = Buffer.from(bytes)
        flipped.writeUInt8(flipped.readUInt8(place) ^ 1, place)
        writeFileSync(archive, flipped)
        refusals.push(await refusedBy(at, archive))
      }
      for (const left of [bytes.length - 1, Math.floor(bytes.length / 2), 300]) {
        writeFileSync(archive, bytes)
        truncateSync(archive, left)
        refusals.push(await refusedBy(at, archive))
      }
      writeFileSync(archive, bytes)
      writeFileSync(at.join('wrong'), 'other random words make one\n', { mode: 0o600 })
      refusals.push(await refusedBy(at, archive, '--passphrase-file', 'wrong'))
      assert.deepEqual(
        refusals.map((text) => text.split(' ')[0]),
        [
          ...Array<string>(3).fill('GPG_CHANGED'),
          ...Array<string>(3).fill('GPG_CUT'),
          'GPG_PASSPHRASE_WRONG',
        ],
      )
      rmSync(folder, { recursive: true })
    })
  }
})

test('a passphrase with a carriage return is none of ours, and says so', async () => {
  await using at = await installMastio()
  const archive = seedArchive(at.bundle, at.folder, { passphrase: `${passphrase}\r`, gpg: quick })
  assert.match(await refusedBy(at, archive), /^GPG_PASSPHRASE_WRONG/)
  writeFileSync(at.join('crlf'), `${passphrase}\r\n`, { mode: 0o600 })
  const told = await at.tell(['restore', archive, '--force', '--passphrase-file', 'crlf'])
  assert.match(`${told.error?.code} ${told.error?.message}`, /^KEY_FILE_REFUSED .*carriage return/)
  // Of several passphrases the right one is found; one typed in another form of Unicode keeps its bytes.
  rmSync(archive)
  const umlaut = seedArchive(at.bundle, at.folder, { passphrase: 'u\u0308ber den Wolken', gpg: quick })
  writeFileSync(at.join('nfd'), 'u\u0308ber den Wolken\n', { mode: 0o600 })
  const args = ['verify', umlaut, '--passphrase-file', 'pass', '--passphrase-file', 'nfd']
  const verified = await at.tell(args)
  assert.equal(verified.ok, true, JSON.stringify(verified))
})

test('every verb reads it: list, inspect, verify, show, extract, unseal, and from a pipe', async () => {
  await using at = await installMastio()
  const archive = seedArchive(at.bundle, stored(at), { passphrase })
  writeFileSync(at.join('archives/holiday.tar.gz.gpg'), 'no backup of this application')
  const listed = await at.tell(['list'])
  const [summary, ...others] = listed.result.archives
  assert.deepEqual(
    [summary.name, summary.created_at, summary.format, summary.verified_at, others, listed.result.unreadable],
    [basename(archive), '2026-05-14T10:30:25Z', 'gpg', null, [], []],
  )
  const inspected = await at.tell(['inspect', 'latest'])
  const { facts } = inspected.result.foreign
  assert.deepEqual(
    [facts.mdc, facts.passphrases.length, facts.passphrases[0].cipher, facts.passphrases[0].hash],
    [true, 1, 9, 2],
  )
  assert.match((await at.run('inspect', 'latest')).stdout, /passphrase +cipher 9, s2k 3, hash 2, count \d+/)
  assert.equal((await at.tell(['verify', 'latest'])).ok, true)
  const again = await at.tell(['list'])
  assert.notEqual(again.result.archives[0].verified_at, null)
  const shown = await at.run('show', summary.id.slice(0, 8))
  assert.match(shown.stdout, /taken +2026-05-14/)
  const extracted = await at.run('extract', 'latest', 'config/proxy.env', '--to', '-')
  const env = readFileSync(join(at.bundle.path, 'proxy.env'), 'utf8')
  assert.equal(extracted.stdout, env)

  execFileSync('sh', ['-c', 'cd "$1" && "$2" unseal latest > plain.tar.gz', 'sh', at.folder, program])
  const tar = gunzipSync(readFileSync(at.join('plain.tar.gz')))
  assert.ok(tar.includes(readFileSync(join(at.bundle.nginxCerts, 'org-ca.crt'))))
  const bytes = readFileSync(archive)
  writeFileSync(archive, bytes.subarray(0, bytes.length - 1))
  const unsealed = await at.run('unseal', 'latest')
  assert.deepEqual([unsealed.code === 0, unsealed.stdout], [false, ''])
  writeFileSync(archive, bytes)

  const piped = await at.tell(['verify', '-', '--passphrase-file', 'pass'], {
    input: createReadStream(archive),
  })
  assert.equal(piped.ok, true, JSON.stringify(piped))
  copyFileSync(archive, at.join('renamed'))
  const renamed = await at.tell(['verify', './renamed', '--no-config', '--passphrase-file', 'pass'])
  assert.equal(renamed.ok, true, JSON.stringify(renamed))
  const changed = await at.tell(['rekey', 'latest', '--remove', '0'])
  assert.deepEqual([changed.error?.code, existsSync(archive)], ['USAGE', true])
})
