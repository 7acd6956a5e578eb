import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { gpgHome } from '../support/gpg-home.ts'
import { testLicense } from '../support/mastio-bundle.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'
import { startMastioWriter } from '../support/mastio-writer.ts'

const home = await gpgHome()
after(() => home[Symbol.asyncDispose]())
await home.passphrase('six random words make one\n')

/** All rows of all tables. */
function contentOf(database: string): unknown {
  using db = new DatabaseSync(database, { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  return tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${String(name)}"`).all()])
}

async function backedUp(at: Installation, ...more: string[]): Promise<string> {
  const told = await at.tell(['backup', '--format', 'gpg', ...more])
  assert.equal(told.ok, true, JSON.stringify(told))
  assert.equal(told.result.archive.format, 'gpg')
  return at.join('archives', told.result.archive.name as string)
}

/** What `gpg --decrypt | tar xzf -` makes of an archive. */
function opened(archive: string, into: string): string {
  mkdirSync(into)
  execFileSync('tar', ['xzf', '-', '-C', into], { input: home.gpg(['--decrypt', archive]) })
  return into
}

function membersOf(archive: string): string[] {
  const list = execFileSync('tar', ['tzf', '-'], {
    input: home.gpg(['--decrypt', archive]),
    encoding: 'utf8',
  })
  return list.trimEnd().split('\n').toSorted()
}

test('the seed layout opens with gpg and tar, and the page’s own commands make a working bundle of it', async () => {
  await using at = await installMastio({ locks: true, leftover: true })
  const { bundle } = at
  // Somebody writes while the backup is taken.
  await using writer = await startMastioWriter({ path: bundle.database, rate: 100 })
  const archive = await backedUp(at, '--verify')
  await writer.kill()

  assert.match(basename(archive), /^cullis-mastio-backup-\d{8}T\d{6}Z\.tar\.gz\.gpg$/)
  assert.equal(statSync(archive).mode & 0o7777, 0o600)
  assert.deepEqual(membersOf(archive), [
    'certs/',
    'certs/org-ca.pem',
    'certs/org-id',
    'data/mcp_proxy.db.snapshot',
    'nginx-certs/',
    'nginx-certs/.generation',
    'nginx-certs/mastio-server.crt',
    'nginx-certs/mastio-server.key',
    'nginx-certs/org-ca.crt',
    'proxy.env',
  ])
  const out = opened(archive, at.join('out'))
  renameSync(join(out, 'data/mcp_proxy.db.snapshot'), join(out, 'data/mcp_proxy.db'))
  using db = new DatabaseSync(join(out, 'data/mcp_proxy.db'))
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  const { n } = db.prepare('SELECT count(*) AS n FROM audit_log').get() ?? {}
  assert.ok(Number(n) >= 12)
  assert.deepEqual(
    readFileSync(join(out, 'nginx-certs/mastio-server.key')),
    readFileSync(join(bundle.nginxCerts, 'mastio-server.key')),
  )
  const env = readFileSync(join(out, 'proxy.env'), 'utf8')
  assert.ok(!env.includes(testLicense) && env.includes('REDACTED'))
  assert.equal(execFileSync('bash', ['-n', join(out, 'proxy.env')], { encoding: 'utf8' }), '')
})

test('the packets are those of the strongest options, also where gpg has no home; no agent and no plaintext is left', async () => {
  await using at = await installMastio()
  const env = { HOME: '/nonexistent', GNUPGHOME: '/nonexistent' }
  const told = await at.tell(['backup', '--format', 'gpg'], { env })
  assert.equal(told.ok, true, JSON.stringify(told))
  const archive = at.join('archives', told.result.archive.name as string)
  const packets = home.try(['--list-packets', archive])
  const text = packets.out.toString()
  assert.match(text, /:symkey enc packet: version 4, cipher 9, (aead 0, ?)?s2k 3, hash 10/)
  assert.match(text, /count 65011712 \(255\)/)
  assert.match(text, /:encrypted data packet:[\s\S]*mdc_method: 2/)
  assert.doesNotMatch(text, /:compressed packet:/)
  const inspected = await at.tell(['inspect', 'latest'])
  assert.deepEqual(inspected.result.foreign.facts, {
    passphrases: [{ cipher: 9, s2k: 3, hash: 10, count: 65011712 }],
    mdc: true,
  })
  assert.deepEqual(readdirSync(at.join('archives')), [basename(archive)])
  assert.deepEqual(readdirSync(at.join('state/scratch')), [])
})

test('the enterprise layout has a MANIFEST.txt that holds, and comes back whole', async () => {
  await using at = await installMastio({ edition: 'enterprise', saml: true })
  const { bundle } = at
  const yaml = readFileSync(at.join('sealift.yaml'), 'utf8')
  const second = '  - { name: second, kind: local, path: second }\n'
  writeFileSync(at.join('sealift.yaml'), yaml.replace('seal:', `${second}seal:`))
  const content = contentOf(bundle.database)
  const archive = await backedUp(at)
  assert.match(basename(archive), /^cullis-mastio-enterprise-backup-/)
  assert.deepEqual(readFileSync(at.join('second', basename(archive))), readFileSync(archive))
  const members = membersOf(archive)
  assert.ok(members.every((name) => name.startsWith('./')))
  for (const name of ['./MANIFEST.txt', './data/mcp_proxy.db', './certs/org-id', './saml-keys/saml.key'])
    assert.ok(members.includes(name), name)
  const out = opened(archive, at.join('out'))
  const text = readFileSync(join(out, 'MANIFEST.txt'), 'utf8')
  for (const line of [
    'Bundle path: ' + bundle.path,
    'Bundle version: 0.4.4',
    'Contents:',
    'SHA256 checksums:',
  ])
    assert.ok(text.includes(`${line}\n`), line)
  const sums = text.slice(text.indexOf('SHA256 checksums:\n')).split('\n').slice(1).join('\n')
  execFileSync('sha256sum', ['--check', '--strict', '--quiet'], { cwd: out, input: sums })

  const args = ['--no-config', '--passphrase-file', 'pass', '--into', at.join('other')]
  const restored = await at.tell(['restore', archive, ...args])
  assert.equal(restored.ok, true, JSON.stringify(restored))
  assert.deepEqual(contentOf(at.join('other/data/mcp_proxy.db')), content)
  assert.ok(existsSync(at.join('other/certs/org-id')) && existsSync(at.join('other/saml-keys/saml.crt')))

  // The other layout is there for the asking, and takes the SAML keys along.
  const seed = await backedUp(at, '--layout', 'seed')
  assert.match(basename(seed), /^cullis-mastio-backup-/)
  assert.ok(membersOf(seed).includes('saml-keys/saml.key'))
})

test('two in one second are two archives; what the layout has no place for is told and left out', async () => {
  await using at = await installMastio({ unknown: true })
  const yaml = readFileSync(at.join('sealift.yaml'), 'utf8')
  const rest = `  - { name: data-files, kind: files, path: ${dirname(at.bundle.database)}, exclude: ["mcp_proxy.db*"] }\n`
  writeFileSync(at.join('sealift.yaml'), yaml.replace('targets:\n', `${rest}targets:\n`))
  const told = await at.tell(['backup', '--format', 'gpg'])
  assert.equal(told.ok, true, JSON.stringify(told))
  const left = told.warnings.filter(({ code }) => code === 'left-out')
  assert.deepEqual(left.length, 1)
  assert.match(left[0]?.message ?? '', /notes\.txt/)
  const names = new Set([told.result.archive.name])
  // The name of this very second is taken: by the next one, or by ours.
  for (let more = 0; more < 2; more++) names.add(basename(await backedUp(at)))
  assert.equal(names.size, 3)
  const listed = await at.tell(['list'])
  assert.equal(listed.result.archives.length, 3)
})

test('what cannot be written as one is a mistake in the call, and writes nothing', async () => {
  await using at = await installMastio()
  const refusal = async (...args: string[]): Promise<string> => {
    const { error } = await at.tell(['backup', ...args])
    assert.ok(!existsSync(at.join('archives')) || readdirSync(at.join('archives')).length === 0)
    return `${error?.code} ${error?.message}`
  }
  assert.match(await refusal('--format', 'gpg', '--layout', 'attic'), /^USAGE .*seed or enterprise/)
  assert.match(await refusal('--layout', 'seed'), /^USAGE .*--format/)
  assert.match(await refusal('--format', 'gpg', '--no-redact'), /^USAGE .*sealed one/)
  await at.run('keygen', 'key')
  const recipient = /sealift-recipient-v1:[\w-]+/.exec(readFileSync(at.join('key'), 'utf8'))?.[0] ?? ''
  assert.match(await refusal('--format', 'gpg', '--recipient', recipient), /^USAGE .*passphrase/)
  const yaml = readFileSync(at.join('sealift.yaml'), 'utf8')
  writeFileSync(at.join('sealift.yaml'), yaml.replace('profile: mastio', 'profile: generic'))
  assert.match(await refusal('--format', 'gpg'), /^USAGE .*profile generic has no layout/)
  writeFileSync(at.join('sealift.yaml'), yaml)
  // A link is nothing that a reader of such archives takes: the archive does not come to be.
  symlinkSync('org-id', at.join('bundle/certs/link'))
  assert.match(await refusal('--format', 'gpg'), /^MEMBER_REFUSED .*symlink/)
})
