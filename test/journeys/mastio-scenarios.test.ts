import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { emptyWorld } from '../support/journey-world.ts'
import { sealift } from '../support/journey-program.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { fillFast } from '../support/mastio-fill.ts'
import { installMastio } from '../support/mastio-installation.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { makeStubs } from '../support/mastio-stubs.ts'

/** The drills of mastio.md §10: the wipe and the lost disk (§13, checks 26 and 27). */
suite('rm -rf data/ on the wrong host, 300 MB', () => {
  let at: Installation
  let contents: string
  before(async () => {
    at = await installMastio({ license: '' })
    fillFast(at.bundle.database, 300_000_000)
    contents = digestOf(at.bundle.database)
    assert.equal((await at.tell(['backup'])).code, 0)
    mkdirSync(at.join('var'))
    // The newest archive lies in another folder than the configuration’s.
    renameSync(at.join('archives'), at.join('var/older'))
    changeDatabase(at.bundle.database, (db) =>
      db.exec("UPDATE proxy_config SET value = 'newer' WHERE key = 'display_name'"),
    )
    contents = digestOf(at.bundle.database)
    const told = await at.tell(['backup'])
    renameSync(at.join('archives'), at.join('var/backups'))
    renameSync(at.join('var/older'), at.join('archives'))
    assert.equal(told.ok, true)
  })
  after(() => at[Symbol.asyncDispose]())

  test('the newest archive of both places brings everything back, and the stack starts on it', async (t) => {
    execFileSync(at.stubs.deploy)
    rmSync(at.bundle.data, { recursive: true })
    execFileSync(at.stubs.deploy, ['--down'])
    const began = performance.now()
    const told = await at.tell(['restore', 'latest', '--from', 'var/backups', '--force'])
    const seconds = (performance.now() - began) / 1000
    assert.equal(told.code, 0, JSON.stringify(told))
    assert.match(told.result.archive.target, /backups/)
    assert.equal(digestOf(at.bundle.database), contents)
    const steps = told.result.steps as { step: string; seconds: number }[]
    t.diagnostic(
      `${seconds.toFixed(1)} s: ${steps.map(({ step, seconds: s }) => `${step} ${s.toFixed(1)}`).join(', ')}`,
    )
    assert.ok(steps.length >= 4, 'the time of each step is in the report')
    assert.ok(seconds < 300, `it took ${seconds} s`)
    execFileSync(at.stubs.deploy)
    const log = at.join('log')
    writeFileSync(log, await at.stubs.log())
    const check = await at.tell([
      'check',
      '--url',
      `https://localhost:${at.port}`,
      '--logs',
      log,
      '--wait',
      '20',
    ])
    assert.deepEqual([check.code, check.result.verdict], [0, 'ok'], JSON.stringify(check))
  })
})

test('the disk is lost, and the new host has another name, an archive and the passphrase', async () => {
  await using old = await installMastio({ license: '', saml: true, auditRows: 40 })
  const made = await old.tell(['backup'])
  assert.equal(made.code, 0)
  const contents = digestOf(old.bundle.database)
  const pki = old.bundle.pki

  // A new machine: the bundle as it is unpacked, no configuration, no state, no catalogue.
  using machine = emptyWorld()
  const [bundle, usb] = [machine.join('opt/cullis-mastio-bundle'), machine.join('usb')]
  for (const folder of [bundle, usb]) mkdirSync(folder, { recursive: true })
  cpSync(
    old.join('archives', made.result.archive.name as string),
    join(usb, made.result.archive.name as string),
  )
  cpSync(old.join('pass'), machine.join('pass'))
  cpSync(join(old.bundle.path, 'docker-compose.yml'), join(bundle, 'docker-compose.yml'))
  const archive = readdirSync(usb).map((name) => join(usb, name))[0] ?? ''
  rmSync(old.bundle.path, { recursive: true })
  rmSync(old.join('archives'), { recursive: true })

  const url = 'https://new.example.org:9443'
  const args = [
    'restore',
    archive,
    '--into',
    bundle,
    '--public-url',
    url,
    '--passphrase-file',
    'pass',
    '--json',
  ]
  const outcome = await sealift({ ...machine, env: old.env }, args, {
    env: { SEALIFT_STATE_DIR: machine.join('fresh-state') },
  })
  const told = JSON.parse(outcome.stdout.trimEnd().split('\n').at(-1) ?? '') as Told
  assert.equal(told.ok, true, outcome.stdout)
  assert.deepEqual(told.result.blocked, [])
  assert.deepEqual(told.result.set_aside, [])
  assert.ok(!existsSync(old.bundle.path), 'nothing went to where it was')
  assert.equal(digestOf(join(bundle, 'data/mcp_proxy.db')), contents)
  const env = readFileSync(join(bundle, 'proxy.env'), 'latin1').split('\n')
  assert.ok(env.includes(`MCP_PROXY_PROXY_PUBLIC_URL=${url}`))
  assert.ok(env.some((line) => /^MCP_PROXY_NGINX_SAN=(.*,)?new\.example\.org(,|$)/.test(line)))
  assert.ok(env.includes('ACME_PLUGIN_TOKEN=planted-plugin-token-a4b5'))

  // The application mints its server certificate for the new name at its first start; the Root stays, and with it every pin.
  const stubs = await makeStubs({ ...makeBundleAt(bundle, old), pki }, machine.join('stubs'), old.port)
  try {
    execFileSync(stubs.deploy)
    const root = readFileSync(join(bundle, 'certs/org-ca.pem'), 'latin1')
    assert.equal(root, pki.root.cert)
    const check = await sealift(
      { ...machine, env: { PATH: `${stubs.path}:${process.env['PATH'] ?? ''}` } },
      [
        'check',
        archive,
        '--url',
        `https://localhost:${old.port}`,
        '--passphrase-file',
        'pass',
        '--wait',
        '20',
        '--json',
      ],
      { env: { SEALIFT_STATE_DIR: machine.join('fresh-state') } },
    )
    const { result } = JSON.parse(check.stdout.trimEnd().split('\n').at(-1) ?? '') as Told
    const failed = (result.findings as { check: string; class: string }[]).filter(
      (one) => one.class === 'fail',
    )
    assert.deepEqual(failed, [], check.stdout)
  } finally {
    await stubs.stop()
  }
})

/** The places of a bundle that a restore made. */
function makeBundleAt(path: string, { bundle }: Installation): typeof bundle {
  const at = (name: string): string => join(path, name)
  const [data, nginxCerts, certs, samlKeys] = ['data', 'nginx-certs', 'certs', 'saml-keys'].map(at) as [
    string,
    string,
    string,
    string,
  ]
  return { ...bundle, path, data, nginxCerts, certs, samlKeys, database: join(data, 'mcp_proxy.db') }
}

/** What a database says, whatever pages it says it on. */
function digestOf(path: string): string {
  return execFileSync('sh', ['-c', 'sqlite3 -readonly "$1" .sha3sum', 'sh', path], { encoding: 'utf8' })
}
