import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { Manifest, ManifestSource } from '../../manifest.ts'
import type { Finding } from '../../sources/source.ts'
import { generic } from './generic.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sealift-generic-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const armour = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n'

async function put(name: string, content: string, mode: number): Promise<void> {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
  await chmod(file, mode)
}

/** What the profile says of restored sources: name → kind, and where they lie. */
async function check(
  sources: Record<string, string> = { app: 'files' },
  staged = new Map([['app', folder]]),
  signal = new AbortController().signal,
): Promise<Finding[]> {
  const recorded = Object.entries(sources).map(([name, kind]): ManifestSource => ({
    name,
    kind,
    snapshot_at: '2026-01-01T00:00:00Z',
    versions: {},
    facts: {},
    members: 1,
    bytes: 1,
  }))
  const manifest: Manifest = {
    manifest: 1,
    archive_id: '00',
    kind: 'backup',
    app: 'notes',
    profile: 'generic',
    host: 'host',
    started_at: '2026-01-01T00:00:00Z',
    finished_at: '2026-01-01T00:00:00Z',
    tool: { name: 'sealift', version: '0' },
    sources: recorded,
    warnings: [],
  }
  const findings = await Promise.all((generic.checks ?? []).map((one) => one.run(staged, manifest, signal)))
  return findings.flat()
}

test('a restored key that others may read wants attention, by its armour or by its name', async () => {
  await put('certs/server.pem', `text before\n${armour}`, 0o644)
  await put('certs/other.key', 'not armoured', 0o640)
  await put('certs/private.pem', armour, 0o600)
  const [finding, ...others] = await check()
  assert.deepEqual(others, [])
  assert.equal(finding?.verdict, 'attention')
  assert.equal(
    finding.detail,
    '2 of 3 private keys can be used by group or others: app/certs/other.key (0640), app/certs/server.pem (0644)',
  )
})

test('keys that only their owner may read are ok', async () => {
  await put('a.key', armour, 0o600)
  await put('b.pem', armour, 0o400)
  assert.deepEqual(await check(), [
    { check: 'private-keys', verdict: 'ok', detail: '2 of 2 private keys are private' },
  ])
})

test('certificates, texts about keys, large files and what a symlink leads to are no keys', async () => {
  await put('cert.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n', 0o644)
  await put('about.md', 'Keep your PRIVATE KEY safe.', 0o644)
  await put('large.pem', armour + 'x'.repeat(64 * 1024), 0o644)
  await symlink('/etc/passwd', path.join(folder, 'link.key'))
  assert.deepEqual(await check(), [
    { check: 'private-keys', verdict: 'ok', detail: 'no private key among the files' },
  ])
})

test('a source that is one file is looked at, a database and a source that was not restored are not', async () => {
  await put('server.key', armour, 0o644)
  await put('app.db', armour, 0o644)
  const staged = new Map([
    ['key', path.join(folder, 'server.key')],
    ['db', path.join(folder, 'app.db')],
  ])
  const [finding] = await check({ key: 'files', db: 'sqlite', absent: 'files' }, staged)
  assert.equal(finding?.detail, '1 of 1 private keys can be used by group or others: key (0644)')
})

test('many exposed keys are counted, and the first named', async () => {
  for (let index = 0; index < 8; index++) await put(`${index}.key`, armour, 0o644)
  const [finding] = await check()
  assert.match(finding?.detail ?? '', /^8 of 8 .*app\/4\.key \(0644\) and 3 more$/)
})

test('an aborted signal ends the check', async () => {
  await put('a.key', armour, 0o600)
  await assert.rejects(check(undefined, undefined, AbortSignal.abort()), { name: 'AbortError' })
})
