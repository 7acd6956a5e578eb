import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { ApplicationOptions } from '../support/mastio-application.ts'
import { startApplication } from '../support/mastio-application.ts'
import { appendAudit, tamper } from '../support/mastio-chain.ts'
import { changeDatabase, makeMastioDatabase } from '../support/mastio-database.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'
import { issueServer, testPki } from '../support/mastio-pki.ts'

/** What a healthy start logs: nothing that the check looks for but good signs. */
const quietLog = 'mcp-proxy-1  | {"level":"INFO","message":"nginx server cert reused"}\n'
const stranger = testPki({ lineage: 'stranger' })

/** Checks against an application that answers like this, with a log, and gives the report. */
async function checked(
  at: Installation,
  answers: Partial<ApplicationOptions> = {},
  { log = quietLog, args = [] }: { log?: string; args?: string[] } = {},
): Promise<Told> {
  const { pki } = at.bundle
  await using application = await startApplication({ server: pki.server, ca: pki.root.cert, ...answers })
  writeFileSync(at.join('log'), log)
  const url = `https://localhost:${application.port}`
  return await at.tell(['check', '--url', url, '--logs', 'log', '--wait', '1', ...args])
}

function verdict({ code, result, error }: Told): unknown[] {
  const words = result.findings
    .filter((one: { class: string }) => one.class !== 'note')
    .map((one: { check: string }) => one.check)
  return [code, result.verdict, words, error?.code]
}

test('an application that went on from its backup is ok, and what was not looked at is told', async () => {
  await using at = await installMastio()
  const made = await at.tell(['backup', '--verify'])
  assert.equal(made.ok, true, JSON.stringify(made))
  changeDatabase(at.bundle.database, (db) => appendAudit(db, { count: 3 }))
  const good = await checked(at)
  assert.deepEqual(verdict(good), [0, 'ok', [], undefined])
  assert.equal(good.result.facts_from, 'catalogue')
  assert.equal(good.result.archive.id, made.result.archive.id)

  // Without the catalogue the archive itself says what it holds.
  rmSync(at.join('state'), { recursive: true })
  const opened = await checked(at, {}, { args: ['latest'] })
  assert.deepEqual([opened.code, opened.result.facts_from], [0, 'archive'])

  // Ready, under the right CA, and nobody looked at its database or its log: no proof.
  cpSync(at.join('archives'), at.join('elsewhere'), { recursive: true })
  const name = made.result.archive.name as string
  await using application = await startApplication({
    server: at.bundle.pki.server,
    ca: at.bundle.pki.root.cert,
  })
  rmSync(at.bundle.path, { recursive: true })
  const url = `https://localhost:${application.port}`
  const args = ['check', at.join('elsewhere', name), '--no-config', '--passphrase-file', 'pass']
  const remote = await at.tell([...args, '--url', url])
  assert.deepEqual(verdict(remote), [1, 'attention', [], undefined])
  assert.deepEqual(
    remote.result.looks
      .filter((one: { done: boolean }) => !one.done)
      .map((one: { what: string }) => one.what),
    ['database', 'log'],
  )
})

test('ready on another CA, on an empty database and without the head of the backup are each a failure', async () => {
  await using at = await installMastio()
  assert.equal((await at.tell(['backup'])).ok, true)
  const { pki, database } = at.bundle
  const failed = (words: string[]): unknown[] => [65, 'fail', words, 'LIVE_CHECK_FAILED']
  assert.deepEqual(
    verdict(await checked(at, { server: stranger.server, ca: stranger.root.cert })),
    failed(['tls']),
  )
  assert.deepEqual(verdict(await checked(at, { ca: stranger.root.cert })), failed(['ca-served']))
  assert.deepEqual(verdict(await checked(at, { ready: false })), failed(['readyz']))
  // A name that the public address does not have: `localhost` alone would do for this very question.
  const server = issueServer(pki.intermediate, ['localhost'])
  assert.deepEqual(verdict(await checked(at, { server })), failed(['tls']))

  const original = readFileSync(database)
  changeDatabase(database, (db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq > 11'))
  assert.deepEqual(verdict(await checked(at)), failed(['live-head']))
  rmSync(database)
  makeMastioDatabase(database, { pki: stranger, auditRows: 0, local: {} })
  assert.deepEqual(verdict(await checked(at)), failed(['live-org', 'live-ca', 'live-head']))
  writeFileSync(database, '')
  assert.deepEqual(verdict(await checked(at)), failed(['live-empty']))
  rmSync(database)
  assert.deepEqual(verdict(await checked(at)), failed(['live-missing']))
  writeFileSync(database, original)
  assert.deepEqual(verdict(await checked(at)), [0, 'ok', [], undefined])
})

const failures = [
  'Self-signed Org CA generated',
  'Org CA not found via KMS provider',
  'Mastio Intermediate CA minted',
  'Org CA subject mismatch',
  'failed to decrypt org_ca',
  'cannot be decrypted with the current',
  'ADR-014 nginx server cert provisioning failed',
  'AUDIT_CHAIN_UNHEALTHY',
  'rotation state inconsistent at boot',
  'rotation state corrupt at boot',
  'signing halted',
  'Traceback',
]
const warnings = [
  'SSL_do_handshake() failed',
  'Org CA on-disk vs DB mismatch',
  'Legacy plaintext PKI rows detected',
]

test('each text of the log weighs what it should, plain and escaped in JSON, from a file and from standard input', async () => {
  await using at = await installMastio()
  assert.equal((await at.tell(['backup'])).ok, true)
  const { pki } = at.bundle
  await using application = await startApplication({ server: pki.server, ca: pki.root.cert })
  const url = `https://localhost:${application.port}`
  // As an application escapes what is not ASCII, and a bit more: the text itself is never in the line.
  const escaped = (text: string): string =>
    text.replaceAll(/[^]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const lines = (texts: readonly string[], json: boolean): string =>
    texts
      .map((text) =>
        json ? `mcp-proxy-1  | {"level":"X","message":"a ${escaped(text)} \\u2014 b"}` : `x ${text} y`,
      )
      .join('\n')
  for (const json of [false, true]) {
    const told = await at.tell(['check', '--url', url, '--wait', '1', '--logs', '-'], {
      input: Readable.from([`${lines(failures, json)}\n${lines(warnings, json)}\n`]),
    })
    const found = told.result.findings as { class: string; detail: string }[]
    const of = (weight: string): string[] =>
      found.filter((one) => one.class === weight).map(({ detail }) => /"(.*)"/.exec(detail)?.[1] ?? '')
    assert.deepEqual(of('fail'), failures)
    assert.deepEqual(of('attention'), warnings)
    assert.deepEqual([told.code, told.result.verdict], [65, 'fail'])
  }
  const attention = await checked(at, {}, { log: lines(warnings, true) })
  assert.deepEqual([attention.code, attention.result.verdict], [1, 'attention'])
  const foreign = await checked(
    at,
    {},
    { log: `Org Root cert cached (cold private key) — CN=ffff0000ffff0000 CA\n` },
  )
  assert.deepEqual(verdict(foreign), [65, 'fail', ['log'], 'LIVE_CHECK_FAILED'])
  // An empty log proves nothing.
  const empty = await checked(at, {}, { log: '' })
  assert.deepEqual([empty.code, empty.result.verdict], [1, 'attention'])
})

test('the trust anchor is the CA of the facts, or a file that is the same', async () => {
  await using at = await installMastio()
  assert.equal((await at.tell(['backup'])).ok, true)
  writeFileSync(at.join('root.pem'), at.bundle.pki.root.cert)
  writeFileSync(at.join('other.pem'), stranger.root.cert)
  assert.deepEqual(verdict(await checked(at, {}, { args: ['--ca', 'root.pem'] })), [0, 'ok', [], undefined])
  const other = await checked(at, {}, { args: ['--ca', 'other.pem'] })
  assert.deepEqual(verdict(other), [65, 'fail', ['ca-given'], 'LIVE_CHECK_FAILED'])
  const text = await at.run('check', '--url', 'https://localhost:1', '--wait', '0')
  assert.equal(text.code, 65)
  assert.match(text.stdout, /fail: .*\n {2}compared with mastio-/)
  assert.match(text.stdout, /not looked {2}log/)
  const usage = await at.run('check', '--url', 'http://localhost:1')
  assert.equal(usage.code, 64)
})
