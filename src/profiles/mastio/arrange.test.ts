import assert from 'node:assert/strict'
import {
  chmodSync,
  symlinkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { makeBundle, testLicense } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions, TestBundle } from '../../../test/support/mastio-bundle.ts'
import { appendAudit } from '../../../test/support/mastio-chain.ts'
import { changeDatabase } from '../../../test/support/mastio-database.ts'
import { issueAgent } from '../../../test/support/mastio-pki.ts'
import { livePlaces, manifestOf, snapshotTo, stagedPlaces } from '../../../test/support/mastio-places.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import type { Facts } from '../../manifest.ts'
import type { Arranged, Arrangement, Settings } from '../arrangement.ts'
import { arrange } from './arrange.ts'
import { readEnv, valueOf, withKey } from './env-file.ts'

const { signal } = new AbortController()
const privileged = process.geteuid?.() === 0
const now = new Date()

interface Case {
  readonly options?: BundleOptions
  readonly settings?: Settings
  readonly facts?: Facts
  /** The bundle lies there still; otherwise its folder is empty. */
  readonly standing?: boolean
  /** Lets go of the bundle after it was staged, or of what was staged. */
  readonly change?: (bundle: TestBundle, staged: Map<string, string>) => void
  readonly more?: Partial<Arrangement>
}

interface Outcome {
  readonly arranged: Arranged
  readonly bundle: TestBundle
  readonly findings: string[]
  readonly blocked: string[]
  /** What is staged for `proxy.env`. */
  readonly env: string
  readonly files: ReadonlyMap<string, string>
  readonly modes: Readonly<Record<string, string>>
}

async function outcome({
  options = {},
  settings = {},
  facts = {},
  standing = false,
  change,
  more,
}: Case): Promise<Outcome> {
  await using folder = await testFolder()
  mkdirSync(folder.join('bundle'))
  const bundle = makeBundle(folder.join('bundle'), options)
  const live = livePlaces(bundle)
  const staged = await stagedPlaces(bundle, folder.join('staging'))
  change?.(bundle, staged)
  const there = new Map(standing ? livePlaces(bundle) : [])
  if (there.has('data')) there.set('data', await snapshotTo(folder.join('standing.db'), bundle.database))
  const manifest = manifestOf(facts, live)
  const input = { staged, live, standing: there, manifest, settings, privileged, now, ...more }
  const arranged = await arrange(input, signal)
  const told = JSON.stringify([arranged, [...arranged.beside]])
  for (const secret of bundle.secrets) assert.ok(!told.includes(secret), `told: ${secret}`)
  // The bundle's AWS key is a reference to be looked after: a note of every case.
  const names = (list: Arranged['findings']): string[] =>
    list.map((one) => `${one.check} ${one.class}`).filter((name) => name !== 'env-reference note')
  const config = staged.get('config')
  const files = new Map<string, string>()
  for (const name of readdirSync(folder.join('staging'))) {
    if (name.startsWith('proxy.env')) files.set(name, readFileSync(folder.join('staging', name), 'latin1'))
  }
  return {
    arranged,
    bundle,
    findings: names(arranged.findings),
    blocked: names(arranged.blocked),
    env: config === undefined ? '' : (files.get(basename(config)) ?? ''),
    files,
    modes: modesOf(folder.join('staging')),
  }
}

/** `mode owner` of every file; owners only where the test may give them. */
function modesOf(root: string): Record<string, string> {
  const modes: Record<string, string> = {}
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const { mode, uid } = lstatSync(join(root, path))
    modes[path] = `${(mode & 0o7777).toString(8)}${privileged ? ` ${uid}` : ''}`
  }
  return modes
}

/** What stands in an archive: `proxy.env` without its license. */
function redact(_bundle: TestBundle, staged: Map<string, string>): void {
  const path = staged.get('config') ?? ''
  const text = readFileSync(path, 'latin1')
  writeFileSync(path, text.replace(testLicense, '<REDACTED-RECOVER-FROM-CULLIS-SECURITY>'), 'latin1')
}

function edit(path: string, key: string, value: string): void {
  writeFileSync(path, withKey(readFileSync(path, 'latin1'), key, value), 'latin1')
}

const envOf = (bundle: TestBundle): string => join(bundle.path, 'proxy.env')

test('modes and owners are the application’s, whatever the archive says', async () => {
  const { modes } = await outcome({
    options: { saml: true },
    change(_bundle, staged) {
      for (const path of staged.values()) chmodSync(path, lstatSync(path).isDirectory() ? 0o777 : 0o666)
      writeFileSync(join(staged.get('saml-keys') ?? '', 'both.pem'), '-----BEGIN PRIVATE KEY-----\n')
    },
  })
  const own = (mode: string, owner: 'application' | 'bundle'): string =>
    privileged ? `${mode} ${owner === 'application' ? 10001 : 0}` : mode
  assert.deepEqual(modes, {
    'mcp_proxy.db': own('600', 'application'),
    'nginx-certs': own('750', 'application'),
    'nginx-certs/.generation': own('600', 'application'),
    'nginx-certs/mastio-server.crt': own('644', 'application'),
    'nginx-certs/mastio-server.key': own('600', 'application'),
    'nginx-certs/org-ca.crt': own('644', 'application'),
    certs: own('755', 'bundle'),
    'certs/org-ca.pem': own('644', 'bundle'),
    'certs/org-id': own('644', 'bundle'),
    'saml-keys': own('750', 'application'),
    'saml-keys/both.pem': own('600', 'application'),
    'saml-keys/saml.crt': own('644', 'application'),
    'saml-keys/saml.key': own('600', 'application'),
    'proxy.env': own('600', 'bundle'),
  })
})

test('no proxy.env there: the archive’s is installed, its placeholder readable by shell, and it cannot be deployed yet', async () => {
  const { env, findings, blocked, arranged } = await outcome({ change: redact })
  assert.ok(env.includes('CULLIS_LICENSE_KEY=REDACTED-RECOVER-FROM-CULLIS-SECURITY\n'))
  assert.deepEqual(blocked, ['license-redacted fail'])
  assert.deepEqual(findings, [])
  assert.deepEqual([arranged.undone, arranged.beside.size], [[], 0])
})

test('the same proxy.env there: the live one stays with its license, and the bundle is ready', async () => {
  const { env, bundle, blocked, arranged } = await outcome({ standing: true, change: redact })
  assert.equal(env, bundle.env)
  assert.deepEqual(blocked, [])
  assert.equal(arranged.beside.size, 0)
})

test('another proxy.env there: it stays, the archive’s goes beside it, and the keys that differ are named', async () => {
  const { env, arranged, findings, blocked } = await outcome({
    standing: true,
    change(bundle, staged) {
      redact(bundle, staged)
      edit(envOf(bundle), 'MCP_PROXY_ADMIN_SECRET', 'another-planted')
      chmodSync(envOf(bundle), 0o644)
    },
  })
  assert.deepEqual([...arranged.beside], [['config', 'proxy.env.restored']])
  assert.ok(
    env.includes('planted-admin-secret-0a1b') && !env.includes(testLicense) && !env.includes('<REDACTED'),
  )
  assert.deepEqual(findings, ['env-differs attention', 'env-mode note'])
  assert.match(arranged.findings[0]?.detail ?? '', /differs in MCP_PROXY_ADMIN_SECRET$/)
  assert.ok(!JSON.stringify(arranged).includes('another-planted'))
  assert.deepEqual(blocked, [])
})

test('the archive’s proxy.env is adopted on request', async () => {
  const { env, arranged, findings } = await outcome({
    standing: true,
    settings: { env: 'archive' },
    change: (bundle) => edit(envOf(bundle), 'MCP_PROXY_ADMIN_SECRET', 'another-planted'),
  })
  assert.equal(arranged.beside.size, 0)
  assert.ok(env.includes('planted-admin-secret-0a1b'))
  assert.deepEqual(findings, ['env-adopted note'])
})

test('a new public URL is put into the file that will be read, with its name in the SAN list', async () => {
  const settings = { publicUrl: new URL('https://new.acme.test:9443') }
  const installed = await outcome({ settings })
  const value = (text: string, key: string): string | undefined => valueOf(readEnv(text), key)
  assert.equal(value(installed.env, 'MCP_PROXY_PROXY_PUBLIC_URL'), 'https://new.acme.test:9443')
  assert.match(value(installed.env, 'MCP_PROXY_NGINX_SAN') ?? '', /^new\.acme\.test,mastio\.acme\.test,/)
  assert.deepEqual([installed.findings, installed.blocked], [['san-certificate note'], []])
  const kept = await outcome({
    standing: true,
    settings,
    change: (bundle) => edit(envOf(bundle), 'MCP_PROXY_ADMIN_SECRET', 'another-planted'),
  })
  assert.equal(kept.arranged.beside.size, 0)
  assert.deepEqual(
    [...(kept.arranged.also ?? [])].map(([source, path]) => [source, basename(path)]),
    [['config', 'proxy.env.restored']],
  )
  const restored = kept.files.get('proxy.env.restored') ?? ''
  assert.equal(value(kept.env, 'MCP_PROXY_PROXY_PUBLIC_URL'), 'https://new.acme.test:9443')
  assert.equal(value(kept.env, 'MCP_PROXY_ADMIN_SECRET'), 'another-planted')
  assert.equal(value(restored, 'MCP_PROXY_ADMIN_SECRET'), 'planted-admin-secret-0a1b')
  assert.equal(kept.modes['proxy.env.restored']?.slice(0, 3), '600')
  await assert.rejects(outcome({ settings: { publicUrl: new URL('http://new.acme.test/x') } }), {
    code: 'USAGE',
  })
  await assert.rejects(outcome({ settings, change: (_bundle, staged) => staged.delete('config') }), {
    code: 'USAGE',
  })
})

test('an encrypted Org CA: the key must open it before anything goes live', async () => {
  const state = async (value: string | undefined): Promise<string[]> => {
    const { findings, blocked } = await outcome({
      options: { ca: 'encrypted' },
      change(_bundle, staged) {
        if (value !== undefined) edit(staged.get('config') ?? '', 'MCP_PROXY_DB_ENCRYPTION_KEY', value)
      },
    })
    // The synthetic Compose file does not pass the key on: that alone stops no restore.
    if (value !== '') assert.deepEqual(blocked, ['pki-key-not-passed fail'])
    return findings.filter((name) => name.startsWith('pki-key'))
  }
  assert.deepEqual(await state(undefined), [])
  assert.deepEqual(await state('another-key-of-enough-characters'), ['pki-key hard'])
  assert.deepEqual(await state('short'), ['pki-key hard'])
  assert.deepEqual(await state(''), ['pki-key hard'])
})

test('the live proxy.env decides over the encrypted Org CA where it stays, also when only the database is restored', async () => {
  const other = (bundle: TestBundle): void =>
    edit(envOf(bundle), 'MCP_PROXY_DB_ENCRYPTION_KEY', 'another-key-of-enough-characters')
  const options = { ca: 'encrypted' } as const
  const kept = await outcome({ options, standing: true, change: other })
  assert.ok(kept.findings.includes('pki-key hard'))
  const adopted = await outcome({ options, standing: true, change: other, settings: { env: 'archive' } })
  assert.ok(!adopted.findings.includes('pki-key hard'))
  const alone = await outcome({
    options,
    standing: true,
    change(bundle, staged) {
      other(bundle)
      staged.delete('config')
    },
  })
  assert.ok(alone.findings.includes('pki-key hard'))
  const nowhere = await outcome({
    options: {},
    change: (_bundle, staged) => staged.delete('config'),
    more: { live: new Map(), manifest: { ...manifestOf({}), sources: [] } },
  })
  assert.deepEqual(nowhere.blocked, ['env-missing fail'])
})

test('a version older than the archive’s is refused unless it is accepted, an unknown one wants attention', async () => {
  const versions = async (facts: Facts, deployed: string): Promise<string[]> => {
    const change = (bundle: TestBundle): void => edit(envOf(bundle), 'CULLIS_MASTIO_VERSION', deployed)
    const { findings } = await outcome({ facts, standing: true, change })
    return findings.filter((name) => name.startsWith('version'))
  }
  assert.deepEqual(await versions({ bundle_version: '0.4.4' }, '0.4.3'), ['version-older fail'])
  assert.deepEqual(await versions({}, '0.4.3'), ['version-older fail'])
  assert.deepEqual(await versions({}, 'latest'), ['version-unknown attention'])
  assert.deepEqual(await versions({}, '0.5.0'), ['version-newer note'])
  assert.deepEqual(await versions({}, '0.4.4'), [])
})

test('what the restore undoes is told, agent by agent', async () => {
  const { arranged } = await outcome({
    standing: true,
    change(bundle) {
      const { orgId, agents } = bundle.pki
      const [alice = '', bob = '', carol = ''] = Object.keys(agents)
      changeDatabase(bundle.database, (db) => {
        db.prepare('UPDATE internal_agents SET is_active = 0 WHERE agent_id = ?').run(alice)
        db.prepare('UPDATE internal_agents SET cert_pem = ? WHERE agent_id = ?').run(
          issueAgent(bundle.pki, 'bob').cert,
          bob,
        )
        db.prepare('INSERT INTO internal_agents (agent_id, is_active) VALUES (?, 1)').run(carol)
        db.exec("UPDATE user_api_tokens SET revoked_at = '2026-05-15'; DELETE FROM user_sessions")
        appendAudit(db, { count: 3 })
      })
      assert.equal(alice, `${orgId}::alice`)
    },
  })
  const id = arranged.undone[0]?.match(/[0-9a-f]{16}/)?.[0] ?? ''
  assert.deepEqual(arranged.undone, [
    `1 agent revoked since the backup: active again: ${id}::alice`,
    `1 agent enrolled since the backup: unknown again, and refused with 401: ${id}::carol`,
    `1 agent given a new certificate since the backup: refused with 401 until enrolled again: ${id}::bob`,
    '1 API token revoked since the backup: valid again',
    '1 session ended since the backup: valid again',
    '3 rows of audit_log lost',
  ])
})

test('a standing database that cannot be read is no obstacle, and said', async () => {
  await using folder = await testFolder()
  writeFileSync(folder.join('broken.db'), 'not a database, though long enough for its header '.repeat(20))
  const { arranged } = await outcome({ more: { standing: new Map([['data', folder.join('broken.db')]]) } })
  assert.match(arranged.undone[0] ?? '', /cannot be read .* not known$/)
})

test('a staged database that cannot be read is for the examination to refuse', async () => {
  const { arranged, findings } = await outcome({
    standing: true,
    change: (_bundle, staged) => writeFileSync(staged.get('data') ?? '', 'torn '.repeat(2000)),
  })
  assert.match(arranged.undone[0] ?? '', /cannot be read/)
  assert.deepEqual(
    findings.filter((name) => name.endsWith('hard')),
    [],
  )
})

test('an expired server certificate is made again at the next start', async () => {
  const later = new Date(Date.now() + 100 * 86_400_000)
  const { findings } = await outcome({ more: { now: later } })
  assert.ok(findings.includes('server-expired note'))
})

test('without root only an empty bundle is restored to', async () => {
  const populated = await outcome({ standing: true, more: { privileged: false } })
  assert.ok(populated.findings.includes('not-root fail'))
  const empty = await outcome({ more: { privileged: false } })
  assert.ok(!empty.findings.includes('not-root fail'))
})

test('a place that the application will not look at keeps it from being deployed', async () => {
  const { blocked, arranged } = await outcome({
    standing: true,
    change: (bundle) => edit(envOf(bundle), 'MASTIO_DATA_DIR', '/srv/elsewhere'),
  })
  assert.deepEqual(blocked, ['place-differs fail'])
  assert.match(arranged.blocked[0]?.detail ?? '', /proxy\.env names \/srv\/elsewhere$/)
})

test('findings on the file that will be read do not stop the restore', async () => {
  const { findings, blocked } = await outcome({
    change(_bundle, staged) {
      const path = staged.get('config') ?? ''
      edit(path, 'MCP_PROXY_ADMIN_SECRET', 'change-me-in-production')
      writeFileSync(path, `${readFileSync(path, 'latin1')}A=1\nA=2\n`, 'latin1')
    },
  })
  assert.deepEqual(blocked, ['admin-secret fail'])
  assert.deepEqual(findings, ['env-duplicate attention'])
})

test('a file of the archive’s that is a symlink stays one, and what it names is not touched', async () => {
  await using folder = await testFolder()
  writeFileSync(folder.join('outside'), 'x', { mode: 0o644 })
  const { modes } = await outcome({
    change: (_bundle, staged) => symlinkSync(folder.join('outside'), join(staged.get('certs') ?? '', 'link')),
  })
  assert.equal(lstatSync(folder.join('outside')).mode & 0o777, 0o644)
  assert.equal(modes['certs/link']?.slice(0, 3), '777')
})

test('an aborted signal ends it', async () => {
  await using folder = await testFolder()
  mkdirSync(folder.join('bundle'))
  const bundle = makeBundle(folder.join('bundle'))
  const staged = await stagedPlaces(bundle, folder.join('staging'))
  const input = {
    staged,
    live: livePlaces(bundle),
    standing: new Map<string, string>(),
    manifest: manifestOf({}),
  }
  const stopped = AbortSignal.abort()
  await assert.rejects(arrange({ ...input, settings: {}, privileged, now }, stopped), { name: 'AbortError' })
})
