import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '../support/journey-program.ts'
import { appendAudit, tamper } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'
import { rotatedRoot } from '../support/mastio-pki.ts'

const unprivileged = process.geteuid?.() === 0 ? [] : ['--accept', 'not-root']
const local = ['MCP_PROXY_ADMIN_SECRET', 'MCP_PROXY_DASHBOARD_SIGNING_KEY']

const envOf = ({ bundle }: Installation): string => readFileSync(join(bundle.path, 'proxy.env'), 'utf8')
const valueIn = (env: string, key: string): string | undefined =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(env)?.[1]

/** The rows of the intruder are a second apart, and some of a time to come. */
const window = ['--audit-to', '2100-01-01T00:00:00Z']

/** A moment that is later than all before it and earlier than all after it, to the second, as archives count. */
async function aMoment(): Promise<string> {
  await sleep(1100)
  const at = new Date()
  await sleep(1100)
  return at.toISOString()
}

/** A clean backup, the breach, what the intruder did, and a backup of that. */
async function breached(at: Installation): Promise<{ clean: string; later: string; breach: string }> {
  const clean = await at.tell(['backup'])
  assert.equal(clean.ok, true, JSON.stringify(clean))
  const breach = await aMoment()
  changeDatabase(at.bundle.database, (db) => {
    appendAudit(db, { count: 5, from: new Date(Date.now() - 12_000) })
    tamper(db, "UPDATE audit_log SET detail = 'cleaned' WHERE chain_seq = 15")
    db.exec("INSERT INTO proxy_config VALUES ('vault_token_of_the_intruder', 'x')")
  })
  const later = await at.tell(['backup'])
  return { clean: clean.result.archive.id, later: later.result.archive.id, breach }
}

function rows({ bundle }: Installation): number {
  using db = new DatabaseSync(bundle.database, { readOnly: true })
  return Number(db.prepare('SELECT max(chain_seq) AS n FROM audit_log').get()?.['n'])
}

test('a plan changes nothing: the last clean archive, what is known, whom to enrol, what happened', async () => {
  await using at = await installMastio()
  const { clean, later, breach } = await breached(at)
  const before = { env: envOf(at), files: readdirSync(at.bundle.path).toSorted(), rows: rows(at) }
  const told = await at.tell(['recover', '--breach-at', breach, ...window])
  assert.equal(told.code, 1, JSON.stringify(told.error))
  const { archive, steps, audit, secrets, identities, guidance } = told.result
  assert.equal(archive.id, clean)
  assert.deepEqual(
    told.result.later.map((one: { id: string }) => one.id),
    [later],
  )
  assert.match(guidance[0], /do not power it on/)
  assert.deepEqual(
    steps.filter((one: { state: string }) => one.state === 'left').map((one: { step: string }) => one.step),
    ['restore', 'rotate the local secrets'],
  )
  assert.equal(audit.rows, 5)
  assert.ok(
    audit.findings.some((one: { detail: string }) => /audit_log: row 15 was changed/.test(one.detail)),
  )
  assert.equal(identities.length, 2)
  assert.ok(secrets.some((one: { name: string }) => one.name === 'proxy_config.org_ca_key'))
  assert.deepEqual({ env: envOf(at), files: readdirSync(at.bundle.path).toSorted(), rows: rows(at) }, before)
})

test('a recovery restores the clean state, renews the local secrets and tells the rest without a value', async () => {
  await using at = await installMastio({ saml: true })
  const { clean, breach } = await breached(at)
  const [alice = ''] = Object.keys(at.bundle.pki.agents)
  const args = [
    'recover',
    '--breach-at',
    breach,
    '--restore',
    ...unprivileged,
    '--deactivate',
    alice,
    ...window,
  ]
  const files = ['--report', 'report.json', '--audit-out', 'rows.ndjson']
  const told = await at.tell([...args, ...files])
  assert.deepEqual([told.ok, told.result?.archive.id], [true, clean], JSON.stringify(told.error))
  const { rotated, deactivated, secrets, identities, audit, restore, steps } = told.result
  assert.ok(steps.every((one: { state: string }) => one.state !== 'failed'))
  assert.equal(rows(at), 12)

  // Check 25: every planted secret is in the list, none of its values is anywhere, the two local ones are new.
  assert.deepEqual(rotated, local)
  for (const key of local) {
    assert.match(valueIn(envOf(at), key) ?? '', /^[0-9a-f]{64}$/)
    assert.ok(secrets.some((one: { name: string; how: string }) => one.name === key && one.how === 'auto'))
  }
  assert.equal(statSync(join(at.bundle.path, 'proxy.env')).mode & 0o7777, 0o600)
  const names = secrets.map((one: { name: string }) => one.name)
  const planted = `MCP_PROXY_ANTHROPIC_API_KEY MCP_PROXY_VAULT_TOKEN AWS_SECRET_ACCESS_KEY ACME_PLUGIN_TOKEN
    CULLIS_LICENSE_KEY proxy_config.org_ca_key proxy_config.mastio_ca_key proxy_config.vault_token proxy_config.org_secret
    proxy_config.oidc_client_secret proxy_config.secret_encryption_key_b64 proxy_config.admin_password_hash
    proxy_config.agent_key:${alice} mastio_keys.privkey_pem ai_provider_credentials.creds_json user_api_tokens.token_hash
    user_sessions.session_id nginx-certs/mastio-server.key ${at.join('pass')}`.split(/\s+/)
  for (const name of planted) assert.ok(names.includes(name), name)
  const report = readFileSync(at.join('report.json'), 'utf8')
  assert.equal(statSync(at.join('report.json')).mode & 0o7777, 0o600)
  const fresh = local.map((key) => valueIn(envOf(at), key) ?? '')
  const text = told.outcome.stdout + told.outcome.stderr + report
  for (const secret of [...at.bundle.secrets, ...fresh]) assert.ok(!text.includes(secret), secret)
  assert.equal(JSON.parse(report).archive.id, clean)

  // Whoever is switched off stays off in the restored database, and the audit tables are as they were archived.
  assert.deepEqual(deactivated, [alice])
  const active = new Map(identities.map((one: { id: string; active: boolean }) => [one.id, one.active]))
  assert.deepEqual([...active.values()], [false, true])
  using db = new DatabaseSync(at.bundle.database, { readOnly: true })
  assert.equal(
    db.prepare('SELECT is_active FROM internal_agents WHERE agent_id = ?').get(alice)?.['is_active'],
    0,
  )

  // The compromised state lies aside, untouched, and its audit says what happened in it.
  assert.equal(audit.rows, 5)
  assert.equal(audit.heads_compared, 2)
  assert.ok(audit.findings.some((one: { check: string }) => one.check === 'audit-chain'))
  const taken = readFileSync(at.join('rows.ndjson'), 'utf8').trimEnd().split('\n')
  assert.equal(taken.length, 5)
  assert.ok(taken.some((line) => JSON.parse(line).detail === 'cleaned'))
  assert.ok(restore.set_aside.length > 0)
  const asides = (): unknown[] =>
    (restore.set_aside as string[]).flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'base64')]),
    )
  const evidence = asides()
  assert.deepEqual(readdirSync(at.join('state/scratch')), [])

  // A second look at the state that was set aside needs no second restore.
  const again = ['recover', '--breach-at', breach, '--audit-from', '2026-05-01T00:00:00Z', ...window]
  const folders = (restore.set_aside as string[]).flatMap((folder) => ['--compromised', folder])
  const later = await at.tell([...again, ...folders])
  assert.equal(later.result.audit.rows, 17)
  assert.deepEqual(asides(), evidence)
  const text2 = await at.run('recover', '--breach-at', breach, ...folders)
  assert.match(
    text2.stdout,
    /^First\n {2}quarantine first[^]*The last clean archive[^]*Secrets to count as known/,
  )
  for (const secret of [...at.bundle.secrets, ...fresh]) assert.ok(!text2.stdout.includes(secret), secret)
})

test('what fails after the restore is told, stays undone alone, and can be done again by itself', async () => {
  await using at = await installMastio()
  const { breach } = await breached(at)
  const args = ['recover', '--breach-at', breach, '--restore', ...unprivileged, '--deactivate', 'nobody']
  const told = await at.tell(args)
  assert.deepEqual([told.code, told.error?.code], [64, 'USAGE'])
  assert.match(told.error?.message ?? '', /there is no agent nobody/)
  const state = new Map(
    told.result.steps.map((one: { step: string; state: string }) => [one.step, one.state]),
  )
  assert.deepEqual(
    [state.get('restore'), state.get('deactivate'), state.get('audit')],
    ['done', 'failed', 'done'],
  )
  assert.equal(rows(at), 12)
  const [alice = ''] = Object.keys(at.bundle.pki.agents)
  const old = local.map((key) => valueIn(envOf(at), key))
  const again = await at.tell(['recover', '--breach-at', breach, '--rotate', '--deactivate', alice])
  assert.deepEqual([again.result.deactivated, again.result.rotated], [[alice], local])
  assert.ok(local.every((key, at2) => valueIn(envOf(at), key) !== old[at2]))
})

test('an archive from after the breach, a running application and a report that is there are refused', async () => {
  await using at = await installMastio()
  const { later, breach } = await breached(at)
  const named = await at.tell(['recover', later, '--breach-at', breach, '--restore'])
  assert.deepEqual([named.ok, named.error?.code], [false, 'ARCHIVE_LATER'])
  const none = await at.tell(['recover', '--breach-at', '2020-01-01T00:00:00Z'])
  assert.deepEqual([none.code, none.error?.code], [66, 'ARCHIVE_NOT_FOUND'])
  const over = await at.tell(['recover', '--breach-at', breach, '--report', 'sealift.yaml'])
  assert.deepEqual([over.code, over.error?.code], [64, 'USAGE'])
  const before = envOf(at)
  assert.equal((await start(at, [at.stubs.deploy]).ended).code, 0)
  const running = await at.tell(['recover', '--breach-at', breach, '--restore'])
  assert.deepEqual([running.code, running.error?.code], [73, 'RECOVERY_FAILED'])
  assert.equal(envOf(at), before)
  assert.equal(rows(at), 17)
  assert.ok(!existsSync(join(at.bundle.path, 'proxy.env.restored')))
})

test('a rotated Org CA wants attention until it is acknowledged, and what it left to do is told', async () => {
  await using at = await installMastio()
  assert.equal((await at.tell(['backup'])).ok, true)
  const { pki, database } = at.bundle
  const fresh = rotatedRoot(pki)
  changeDatabase(database, (db) => {
    const set = db.prepare('INSERT OR REPLACE INTO proxy_config VALUES (?, ?)')
    set.run('org_ca_cert', fresh.cert)
    set.run('org_ca_key', fresh.key)
  })
  const codes = async (): Promise<string[]> =>
    (await at.tell(['backup'])).warnings.map(({ code }) => code).filter((code) => code === 'ca-changed')
  assert.deepEqual(await codes(), ['ca-changed'])
  const wrong = await at.tell(['acknowledge', 'ab'.repeat(32), '--reason', 'x'])
  assert.deepEqual([wrong.code, wrong.error?.code], [64, 'USAGE'])
  const current = /is ([0-9a-f]{64}),/.exec(wrong.error?.message ?? '')?.[1] ?? ''
  const colons = current.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:')
  const told = await at.tell(['acknowledge', colons, '--reason', 'yearly rotation'])
  assert.deepEqual([told.code, told.ok, told.result.value], [1, true, current], JSON.stringify(told.error))
  assert.equal(told.result.identities.length, 2)
  assert.ok(told.result.next.some((line: string) => line.includes('certs/org-ca.pem')))
  assert.deepEqual(await codes(), [])
})
