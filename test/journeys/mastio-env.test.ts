import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { readEnv, valueOf, withKey } from '../../src/profiles/mastio/env-file.ts'
import { program, sealift } from '../support/journey-program.ts'
import { testLicense } from '../support/mastio-bundle.ts'
import type { BundleOptions } from '../support/mastio-bundle.ts'
import { freshLicense, initialise } from '../support/mastio-initialised.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'

/** `proxy.env` on its way into an archive and back (mastio.md §9.2 to §9.4, §13: checks 20, 21 and 27). */
const placeholder = 'REDACTED-RECOVER-FROM-CULLIS-SECURITY'
const restoring = ['restore', 'latest', '--force']

const envPath = (at: Installation): string => at.join('bundle/proxy.env')
const envOf = (at: Installation): string => readFileSync(envPath(at), 'latin1')
const modeOf = (path: string): number => statSync(path).mode & 0o777

async function backedUp(options: BundleOptions = {}): ReturnType<typeof initialise> {
  const at = await initialise({ license: freshLicense(), ...options })
  const told = await at.tell(['backup'])
  assert.equal(told.ok, true, told.outcome.stdout)
  return at
}

function change(at: Installation, keys: Readonly<Record<string, string>>): void {
  const text = Object.entries(keys).reduce((changed, [key, value]) => withKey(changed, key, value), envOf(at))
  writeFileSync(envPath(at), text, 'latin1')
}

/** No secret of the bundle, nor another value given here, is in what a run said. */
function told({ outcome }: Told, at: Installation, ...values: readonly string[]): void {
  for (const value of [...at.bundle.secrets, ...values])
    assert.ok(!`${outcome.stdout}${outcome.stderr}`.includes(value), `told: ${value}`)
}

const checksOf = ({ result }: Told): string[] =>
  result.checks
    .filter((one: { check: string }) => one.check.startsWith('env-') && one.check !== 'env-reference')
    .map((one: { check: string; verdict: string }) => `${one.check} ${one.verdict}`)
const blockedOf = ({ result }: Told): string[] => result.blocked.map((one: { check: string }) => one.check)

suite('proxy.env at a restore', () => {
  test('the same: it stays with its license, and is private from now on', async () => {
    await using at = await backedUp()
    chmodSync(envPath(at), 0o644)
    const before = envOf(at)
    const run = await at.tell(restoring)
    assert.equal(run.code, 0, run.outcome.stdout)
    assert.equal(envOf(at), before)
    assert.equal(modeOf(envPath(at)), 0o600)
    assert.deepEqual([checksOf(run), blockedOf(run), existsSync(`${envPath(at)}.restored`)], [[], [], false])
    told(run, at)
  })

  test('another: the live one stays, the archive’s lies beside it, and only keys are named', async () => {
    await using at = await backedUp()
    change(at, { MCP_PROXY_ADMIN_SECRET: 'another-planted-value', ACME_NEW_KEY: 'one-more-planted' })
    const before = envOf(at)
    const run = await at.tell(restoring)
    assert.deepEqual([run.code, run.ok], [1, true], run.outcome.stdout)
    assert.equal(envOf(at), before)
    assert.deepEqual(checksOf(run), ['env-differs attention', 'env-mode note'])
    const said = run.result.checks.find((one: { check: string }) => one.check === 'env-differs').detail
    assert.match(said, /differs in ACME_NEW_KEY, MCP_PROXY_ADMIN_SECRET$/)
    const restored = readFileSync(`${envPath(at)}.restored`, 'latin1')
    assert.equal(valueOf(readEnv(restored), 'MCP_PROXY_ADMIN_SECRET'), 'planted-admin-secret-0a1b')
    assert.equal(valueOf(readEnv(restored), 'CULLIS_LICENSE_KEY'), placeholder)
    assert.equal(modeOf(`${envPath(at)}.restored`), 0o600)
    told(run, at, 'another-planted-value', 'one-more-planted')
    // A second time: the file beside it is set aside in its turn.
    const again = await at.tell(restoring)
    assert.equal(again.ok, true, again.outcome.stdout)
    assert.equal(envOf(at), before)
  })

  test('missing: the archive’s is installed, and cannot be deployed without its license', async () => {
    await using at = await backedUp()
    const before = envOf(at)
    rmSync(envPath(at))
    const run = await at.tell(restoring)
    assert.equal(run.ok, true, run.outcome.stdout)
    assert.equal(envOf(at), before.replace(valueOf(readEnv(before), 'CULLIS_LICENSE_KEY') ?? '', placeholder))
    assert.equal(modeOf(envPath(at)), 0o600)
    assert.deepEqual(blockedOf(run), ['license-redacted'])
    told(run, at)
  })

  test('adopted: the archive’s takes its place, and the live one is set aside', async () => {
    await using at = await backedUp()
    change(at, { MCP_PROXY_ADMIN_SECRET: 'another-planted-value' })
    const before = envOf(at)
    const run = await at.tell([...restoring, '--env', 'archive'])
    assert.equal(run.ok, true, run.outcome.stdout)
    assert.equal(valueOf(readEnv(envOf(at)), 'MCP_PROXY_ADMIN_SECRET'), 'planted-admin-secret-0a1b')
    assert.deepEqual(checksOf(run), ['env-adopted note'])
    const aside = (run.result.set_aside as string[])
      .map((folder) => `${folder}/proxy.env`)
      .find((path) => existsSync(path))
    assert.equal(readFileSync(aside ?? '', 'latin1'), before)
    told(run, at, 'another-planted-value')
  })

  test('another that is to get a new name: both the changed live one and the archive’s are there', async () => {
    await using at = await backedUp()
    change(at, { MCP_PROXY_ADMIN_SECRET: 'another-planted-value' })
    const run = await at.tell([...restoring, '--public-url', 'https://new.acme.test:9443'])
    assert.equal(run.ok, true, run.outcome.stdout)
    const value = (text: string, key: string): string | undefined => valueOf(readEnv(text), key)
    assert.equal(value(envOf(at), 'MCP_PROXY_PROXY_PUBLIC_URL'), 'https://new.acme.test:9443')
    assert.equal(value(envOf(at), 'MCP_PROXY_ADMIN_SECRET'), 'another-planted-value')
    const restored = readFileSync(`${envPath(at)}.restored`, 'latin1')
    assert.equal(value(restored, 'MCP_PROXY_ADMIN_SECRET'), 'planted-admin-secret-0a1b')
    assert.deepEqual([modeOf(envPath(at)), modeOf(`${envPath(at)}.restored`)], [0o600, 0o600])
    assert.deepEqual(blockedOf(run), [])
  })
})

suite('the license', () => {
  const forms: Readonly<Record<string, string>> = {
    plain: `CULLIS_LICENSE_KEY=${testLicense}`,
    indented: `   CULLIS_LICENSE_KEY=${testLicense}`,
    exported: `export CULLIS_LICENSE_KEY=${testLicense}`,
    commented: `# CULLIS_LICENSE_KEY=${testLicense}`,
    'in double quotes': `CULLIS_LICENSE_KEY="${testLicense}"`,
    'in single quotes': `CULLIS_LICENSE_KEY='${testLicense}'`,
    'with a carriage return': `CULLIS_LICENSE_KEY=${testLicense}\r`,
    'copied elsewhere': `CULLIS_LICENSE_KEY=${testLicense}\nOLD=${testLicense}\n# was ${testLicense}`,
    'all of them': [
      `export CULLIS_LICENSE_KEY="${testLicense}"`,
      `  CULLIS_LICENSE_KEY=${testLicense}`,
      `#CULLIS_LICENSE_KEY=${testLicense}`,
    ].join('\n'),
  }

  /** All of the newest archive in the clear, as a tar; `proxy.env` of it has been read by a shell. */
  function contentOf(at: Installation): string {
    const shell = `"$0" unseal latest --passphrase-file pass | zstd -dq > plain.tar
      tar -xOf plain.tar config/proxy.env > plain.env && bash -n plain.env`
    execFileSync('bash', ['-e', '-o', 'pipefail', '-c', shell, program], { cwd: at.folder })
    const content = readFileSync(at.join('plain.tar'), 'latin1')
    for (const name of ['plain.tar', 'plain.env']) rmSync(at.join(name))
    return content
  }

  test('is in no archive, however it is written, and what is there can be read by a shell', async () => {
    await using at = await initialise({ license: '' })
    const rest = envOf(at).replace('CULLIS_LICENSE_KEY=\n', '')
    const pieces = testLicense.split('.')
    for (const [form, lines] of Object.entries(forms)) {
      writeFileSync(envPath(at), `${rest}${lines}\n`, 'latin1')
      const made = await at.tell(['backup'])
      assert.equal(made.ok, true, made.outcome.stdout)
      const content = contentOf(at)
      for (const piece of pieces) assert.ok(!content.includes(piece), `${form}: ${piece}`)
      assert.ok(content.includes(placeholder) && content.includes('planted-admin-secret-0a1b'), form)
      // A comment alone is no license: the bundle has none and needs none.
      if (form !== 'commented' && form !== 'all of them') continue
      rmSync(envPath(at))
      const run = await at.tell(restoring)
      assert.equal(run.ok, true, run.outcome.stdout)
      assert.deepEqual(blockedOf(run), form === 'commented' ? [] : ['license-redacted'])
      execFileSync('bash', ['-n', envPath(at)])
    }
  })

  test('that the vendor’s script took out is known as such, and written so that shell can read it', async () => {
    await using at = await backedUp({ license: `<${placeholder}>` })
    assert.throws(() => execFileSync('bash', ['-n', envPath(at)], { stdio: 'ignore' }))
    rmSync(envPath(at))
    const run = await at.tell(restoring)
    assert.deepEqual(blockedOf(run), ['license-redacted'])
    assert.ok(envOf(at).includes(`CULLIS_LICENSE_KEY=${placeholder}\n`))
    execFileSync('bash', ['-n', envPath(at)])
  })

  test('is kept on request, in a sealed archive', async () => {
    const license = freshLicense()
    await using at = await initialise({ license })
    assert.equal((await at.run('backup', '--no-redact')).code, 0)
    assert.ok(contentOf(at).includes(license))
    rmSync(envPath(at))
    const run = await at.tell(restoring)
    assert.deepEqual([run.code, blockedOf(run)], [0, []], run.outcome.stdout)
    assert.equal(envOf(at), at.bundle.env)
  })
})

test('a machine that has only the archive and the passphrase gets the bundle under its new name', async () => {
  await using at = await backedUp({ saml: true, edition: 'enterprise' })
  const [name = ''] = (await at.tell(['list'])).result.archives.map((one: { name: string }) => one.name)
  const machine = at.join('machine')
  mkdirSync(machine)
  for (const [from, to] of [
    [`archives/${name}`, name],
    ['pass', 'pass'],
  ] as const)
    writeFileSync(`${machine}/${to}`, readFileSync(at.join(from)), { mode: 0o600 })
  rmSync(at.join('bundle'), { recursive: true })
  rmSync(at.join('state'), { recursive: true })
  const url = 'https://dr.acme.test:9443'
  const args = [
    'restore',
    name,
    '--no-config',
    '--into',
    'mastio',
    '--public-url',
    url,
    '--passphrase-file',
    'pass',
  ]
  const run = await sealift({ folder: machine }, [...args, '--json'], {
    env: { SEALIFT_STATE_DIR: `${machine}/state` },
  })
  // All is there; it cannot be deployed before the license is.
  assert.equal(run.code, 1, `${run.stdout}${run.stderr}`)
  const { result } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '') as Told
  assert.deepEqual(
    result.blocked.map((one: { check: string }) => one.check),
    ['license-redacted'],
  )
  const env = readEnv(readFileSync(`${machine}/mastio/proxy.env`, 'latin1'))
  assert.equal(valueOf(env, 'MCP_PROXY_PROXY_PUBLIC_URL'), url)
  assert.equal(valueOf(env, 'MCP_PROXY_NGINX_SAN'), 'dr.acme.test,mastio.acme.test,localhost,mcp-proxy')
  const modes = Object.fromEntries(
    [
      'data',
      'data/mcp_proxy.db',
      'nginx-certs',
      'nginx-certs/mastio-server.key',
      'saml-keys/saml.key',
      'proxy.env',
    ].map((path) => {
      const { mode, uid } = statSync(`${machine}/mastio/${path}`)
      return [path, `${(mode & 0o777).toString(8)} ${process.getuid?.() === 0 ? uid : 10001}`]
    }),
  )
  assert.deepEqual(modes, {
    data: '750 10001',
    'data/mcp_proxy.db': '600 10001',
    'nginx-certs': '750 10001',
    'nginx-certs/mastio-server.key': '600 10001',
    'saml-keys/saml.key': '600 10001',
    'proxy.env': `600 ${process.getuid?.() === 0 ? 0 : 10001}`,
  })
})
