import assert from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { seedArchive } from '../support/mastio-archives.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'
import { testPki } from '../support/mastio-pki.ts'
import { sshd } from '../support/sshd-server.ts'
import { credentials, versitygw } from '../support/versitygw-server.ts'

const passphrase = 'six random words make one'
const gpg = ['--s2k-count', '65536']
const day = 86_400_000

/** `20260514T103025Z`, so many days before now. */
function stampOf(days: number): string {
  return new Date(Date.now() - days * day).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** Replaces the targets and the retention of the installation's configuration. */
function configure(at: Installation, targets: readonly string[], more = ''): void {
  const file = at.join('sealift.yaml')
  const head = readFileSync(file, 'utf8').split('\ntargets:')[0]
  const list = targets.map((target) => `  - { ${target} }`).join('\n')
  writeFileSync(file, `${head}\ntargets:\n${list}\nseal: { passphrase_file: pass }\n${more}\n`)
}

/** Changes one byte in the middle of a file. */
function damage(file: string): void {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

test('30 days stay and more goes, by the time in the name, after a backup that is good', async () => {
  await using at = await installMastio()
  const { bundle } = at
  mkdirSync(at.join('archives'), { mode: 0o700 })
  const first = seedArchive(bundle, at.join('archives'), { passphrase, gpg, stamp: stampOf(29.9) })
  const copy = (days: number): string => {
    const name = `cullis-mastio-backup-${stampOf(days)}.tar.gz.gpg`
    copyFileSync(first, at.join('archives', name))
    return name
  }
  const old = [copy(30.1), copy(31), copy(300)]
  const others = [
    'holiday.tar.gz.gpg',
    `x-${old[2]}`,
    'notes.txt',
    'cullis-mastio-backup-20200101T000000Z.zip',
  ]
  for (const name of others) copyFileSync(first, at.join('archives', name))
  // Every file is of today, or of long ago: it does not matter.
  for (const [index, name] of readdirSync(at.join('archives')).entries()) {
    const time = Date.now() / 1000 - (index % 2) * 400 * 86_400
    utimesSync(at.join('archives', name), time, time)
  }
  const before = readdirSync(at.join('archives')).toSorted()
  const rule = ['--older-than', '30d']

  const dry = await at.tell(['prune', ...rule, '--dry-run'])
  assert.equal(dry.ok, true, JSON.stringify(dry.error))
  const removed = (dry.result.removed as { archive: { name: string }; reasons: string[] }[]).map(
    ({ archive, reasons }) => [archive.name, reasons.join()],
  )
  assert.deepEqual(
    removed,
    old.map((name) => [name, 'older than 30 days']),
  )
  assert.deepEqual(readdirSync(at.join('archives')).toSorted(), before)

  // A backup that fails, or whose archive does not count as good, removes nothing.
  configure(
    at,
    ['name: disk, kind: local, path: archives'],
    'retention: { keep_within: 30d, after_backup: true }',
  )
  writeFileSync(at.join('none'), '')
  const failed = await at.tell(['backup', '--passphrase-file', 'none'])
  assert.equal(failed.ok, false)
  assert.deepEqual(readdirSync(at.join('archives')).toSorted(), before)

  const made = await at.tell(['backup'])
  assert.equal(made.ok, true, JSON.stringify(made.error))
  assert.equal(made.result.state, 'verified')
  const gone = (made.result.pruned.removed as { archive: { name: string } }[]).map(
    ({ archive }) => archive.name,
  )
  assert.deepEqual(gone, old)
  const left = before.filter((name) => !old.includes(name))
  assert.deepEqual(
    readdirSync(at.join('archives')).toSorted(),
    [...left, String(made.result.archive.name)].toSorted((a, b) => (a < b ? -1 : 1)),
  )
})

test('the last archive of an Org CA stays, also where the catalogue knows nothing of it', async () => {
  await using at = await installMastio()
  await using other = await installMastio({ pki: testPki({ lineage: 'before the rotation' }) })
  mkdirSync(at.join('archives'), { mode: 0o700 })
  const stamp = stampOf(100)
  seedArchive(other.bundle, at.join('archives'), { passphrase, gpg, stamp })
  const ours = seedArchive(at.bundle, at.join('archives'), { passphrase, gpg, stamp: stampOf(90) })
  const made = await at.tell(['backup', '--verify'])
  assert.equal(made.ok, true, JSON.stringify(made.error))
  const { ok, error, result } = await at.tell(['prune', '--older-than', '30d'])
  assert.equal(ok, true, JSON.stringify(error))
  assert.deepEqual(
    (result.removed as { archive: { name: string } }[]).map(({ archive }) =>
      at.join('archives', archive.name),
    ),
    [ours],
  )
  assert.deepEqual((result.kept as { archive: { name: string }; reasons: string[] }[]).at(-1)?.reasons, [
    'last with this ca_fingerprint_sha256',
  ])
  // Without a key nothing is learnt, and what is not known stays.
  rmSync(at.join('state'), { recursive: true })
  seedArchive(at.bundle, at.join('archives'), { passphrase, gpg, stamp: stampOf(80) })
  rmSync(at.join('pass'))
  configure(at, ['name: disk, kind: local, path: archives'])
  writeFileSync(
    at.join('sealift.yaml'),
    readFileSync(at.join('sealift.yaml'), 'utf8').replace(/^seal:.*$/m, ''),
  )
  const blind = await at.tell(['prune', '--older-than', '30d'])
  assert.deepEqual(blind.result?.removed, [], JSON.stringify(blind.error))
})

test('every target gets every backup; a copy that is damaged later is found, a dead target loses nothing', async () => {
  await using stack = new AsyncDisposableStack()
  const at = stack.use(await installMastio())
  const bucket = stack.use(await versitygw())
  const host = stack.use(await sshd())
  const usb = mkdtempSync('/dev/shm/sealift-usb-')
  stack.defer(() => rmSync(usb, { recursive: true }))
  mkdirSync(at.join('far'))
  const rsync = `name: far, kind: rsync, host: 127.0.0.1, port: ${host.port}, user: ${host.user}, folder: ${at.join('far')}, ssh_key_file: ${host.key}, known_hosts_file: ${host.knownHosts}`
  const s3 = `name: bucket, kind: s3, bucket: archives, endpoint: "${bucket.endpoint}"`
  const disk = 'name: disk, kind: local, path: archives'
  const env = { ...credentials }
  configure(at, [disk, `name: usb, kind: local, path: ${usb}, off_host: required`, s3, rsync])

  const made = await at.tell(['backup', '--verify'], { env })
  assert.equal(made.ok, true, JSON.stringify(made))
  const name = String(made.result.archive.name)
  assert.deepEqual(
    made.result.copies,
    ['usb', 'bucket', 'far'].map((target) => ({ target, ok: true, state: 'verified' })),
  )
  const distances = (made.result.placements as { target: string; distance: string }[]).map((one) => [
    one.target,
    one.distance,
  ])
  assert.deepEqual(distances, [
    ['disk', 'same-device'],
    ['usb', 'other-device'],
    ['bucket', 'this-host'],
    ['far', 'this-host'],
  ])
  const text = await at.run('list')
  assert.match(text.stdout, /^not off-host: disk, bucket, far$/m)

  const good = await at.tell(['verify', '--all-targets'], { env })
  assert.equal(good.ok, true, JSON.stringify(good))
  assert.deepEqual(
    (good.result.targets as { target: string; ok: boolean }[]).map((one) => [one.target, one.ok]),
    ['disk', 'usb', 'bucket', 'far'].map((target) => [target, true]),
  )

  damage(join(usb, name))
  const [head] = [readFileSync(at.join('far', name))]
  writeFileSync(at.join('far', name), Buffer.concat([Buffer.alloc(100), head.subarray(100)]))
  const found = await at.tell(['verify', '--all-targets'], { env })
  assert.equal(found.code, 65)
  assert.deepEqual(
    (found.result.targets as { target: string; ok: boolean; error?: { code: string } }[]).map((one) => [
      one.target,
      one.error?.code ?? one.ok,
    ]),
    [
      ['disk', true],
      ['usb', 'CHUNK_CHANGED'],
      ['bucket', true],
      ['far', 'NOT_AN_ARCHIVE'],
    ],
  )

  // The first target dies, and so does another one: what is left has the archive, and each says what it got.
  await host[Symbol.asyncDispose]()
  rmSync(at.join('archives'), { recursive: true })
  writeFileSync(at.join('archives'), 'no folder')
  const half = await at.tell(['backup'], { env })
  assert.equal(half.code, 69)
  assert.equal(half.result.archive.target, 'usb')
  assert.deepEqual(
    (half.result.copies as { target: string; ok: boolean }[]).map(({ target, ok }) => [target, ok]),
    [
      ['disk', false],
      ['bucket', true],
      ['far', false],
    ],
  )

  // The stick is pulled: its mount point is a folder on the disk of the application, and stays empty.
  rmSync(at.join('archives'))
  mkdirSync(at.join('mnt'))
  configure(at, [disk, `name: usb, kind: local, path: mnt, off_host: required`])
  const pulled = await at.tell(['backup'], { env })
  assert.equal(pulled.code, 73)
  assert.equal(pulled.error?.code, 'TARGET_NOT_OFF_HOST')
  assert.equal(pulled.result.archive.target, 'disk')
  assert.deepEqual(readdirSync(at.join('mnt')), [])
})
