import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { program, start } from '../support/journey-program.ts'
import { appendAudit } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'
import { testPki } from '../support/mastio-pki.ts'

/** Without root a restore refuses a bundle that is not empty: owners could not be given. */
const unprivileged = process.geteuid?.() === 0 ? [] : ['--accept', 'not-root']

function rows({ bundle }: Installation): number {
  using db = new DatabaseSync(bundle.database, { readOnly: true })
  return Number(db.prepare('SELECT max(chain_seq) AS n FROM audit_log').get()?.['n'])
}

function checks({ port }: Installation): string[] {
  const logs = 'docker compose -p cullis-mastio logs mcp-proxy'
  return ['--check-url', `https://localhost:${port}`, '--wait', '20', '--logs-command', logs]
}

async function deployed(at: Installation): Promise<void> {
  const { code, stdout, stderr } = await start(at, [at.stubs.deploy]).ended
  assert.equal(code, 0, stdout + stderr)
}

/** A script that does to the bundle what a bad upgrade does: a new version is pinned, rows are gone, it starts again. */
function badUpgrade(at: Installation): string {
  const script = at.join('bad-upgrade.sh')
  const { path, database } = at.bundle
  const wreck = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync('${database}')
    const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()
    for (const { name } of triggers) db.exec('DROP TRIGGER ' + name)
    db.exec('DELETE FROM audit_log WHERE chain_seq > 3')`
  const node = `'${process.execPath}' --disable-warning=ExperimentalWarning`
  writeFileSync(
    script,
    `#!/bin/sh
set -e
cd '${path}'
./deploy.sh --down
sed -i 's/^CULLIS_MASTIO_VERSION=.*/CULLIS_MASTIO_VERSION=0.4.5/' proxy.env
${node} -e "${wreck.replaceAll('"', '\\"')}"
./deploy.sh
`,
    { mode: 0o755 },
  )
  return script
}

const version = ({ bundle }: Installation): string | undefined =>
  /^CULLIS_MASTIO_VERSION=(.*)$/m.exec(readFileSync(join(bundle.path, 'proxy.env'), 'utf8'))?.[1]

test('a good change runs behind a verified backup, is checked, and its way back is told', async () => {
  await using at = await installMastio()
  await deployed(at)
  const upgrade = [at.stubs.deploy, '--upgrade', '0.4.5']
  const told = await at.tell(['guard', ...checks(at), '--', ...upgrade])
  assert.deepEqual([told.code, told.ok, told.result.good], [0, true, true], JSON.stringify(told))
  assert.equal(told.result.backup.state, 'verified')
  assert.deepEqual(told.result.command.words, upgrade)
  assert.equal(told.result.checks.verdict, 'ok')
  assert.equal(told.result.way_back.length, 3)
  assert.equal(told.result.rolled_back, undefined)
  // What the command printed is not among the events.
  for (const line of told.outcome.stdout.trimEnd().split('\n')) JSON.parse(line)
  const calls = await at.stubs.calls()
  assert.deepEqual(calls.slice(0, 2), ['deploy.sh ', 'deploy.sh --upgrade 0.4.5'])
  const refused = await at.tell(['guard', '--', at.stubs.deploy, '--upgrade', '../../etc'])
  assert.deepEqual([refused.code, refused.error?.code], [64, 'USAGE'])
  const missing = await at.tell(['guard', '--', at.join('no-such-program')])
  assert.deepEqual([missing.code, missing.error?.code], [66, 'PROCESS_NOT_FOUND'])
  assert.equal((await at.stubs.calls()).filter((call) => call.startsWith('deploy.sh')).length, 2)
})

test('without a good backup the command is not run', async () => {
  const other = testPki({ lineage: 'other' })
  const cases: [string, (at: Installation) => void][] = [
    ['damaged', (at) => writeFileSync(at.bundle.database, 'SQLite format 3\0 and nothing else'.padEnd(4096))],
    ['missing', (at) => rmSync(at.bundle.database)],
    [
      'two Org CAs',
      (at) =>
        changeDatabase(at.bundle.database, (db) =>
          db.prepare("UPDATE proxy_config SET value = ? WHERE key = 'org_ca_key'").run(other.root.key),
        ),
    ],
    [
      'no place for the archive',
      (at) => {
        writeFileSync(at.join('file'), '')
        symlinkSync(at.join('file'), at.join('archives'))
      },
    ],
  ]
  for (const [what, harm] of cases) {
    await using at = await installMastio()
    harm(at)
    const told = await at.tell(['guard', '--auto-rollback', '--', at.stubs.deploy, '--upgrade', '0.4.5'])
    assert.equal(told.code, 73, `${what}: ${JSON.stringify(told)}`)
    assert.equal(told.error?.code, 'CHANGE_REFUSED', what)
    assert.equal(told.result, undefined)
    assert.deepEqual(await at.stubs.calls(), [], what)
  }
})

test('after a command that failed the printed way back, taken to the letter, brings the old state', async () => {
  await using at = await installMastio()
  await deployed(at)
  symlinkSync(program, join(at.stubs.path, 'sealift'))
  const script = badUpgrade(at)
  writeFileSync(script, `${readFileSync(script, 'utf8')}\nexit 3\n`)
  const told = await at.tell(['guard', ...unprivileged, '--', script])
  assert.deepEqual([told.code, told.error?.code], [69, 'CHANGE_FAILED'], JSON.stringify(told))
  assert.match(told.error?.message ?? '', /ended with exit code 3/)
  assert.deepEqual([version(at), rows(at)], ['0.4.5', 3])
  const lines = (told.result.way_back as string[]).map((line) => line.replace(/^sudo /, ''))
  const env = { PATH: `${at.stubs.path}:${process.env['PATH'] ?? '/usr/bin:/bin'}` }
  const back = await start(at, ['/bin/sh', '-c', lines.join('\n')], { env }).ended
  assert.equal(back.code, 0, back.stdout + back.stderr)
  assert.deepEqual([version(at), rows(at)], ['0.4.4', 12])
  const checked = await at.tell(['check', '--url', `https://localhost:${at.port}`, '--wait', '20'])
  assert.deepEqual([checked.result.verdict, checked.result.findings], ['attention', []])
})

test('a change that ends well and loses history is rolled back: database, version, and what is lost is told', async () => {
  await using at = await installMastio()
  await deployed(at)
  const guard = ['guard', '--auto-rollback', ...unprivileged, ...checks(at), '--', badUpgrade(at)]
  const told = await at.tell(guard)
  assert.deepEqual([told.code, told.error?.code], [65, 'LIVE_CHECK_FAILED'], JSON.stringify(told))
  assert.deepEqual(
    told.result.checks.findings.filter((one: { class: string }) => one.class === 'fail'),
    [{ check: 'live-head', class: 'fail', detail: 'the live database lacks audit_log row 12 of the backup' }],
  )
  const { ok, stopped, started, restore } = told.result.rolled_back
  assert.deepEqual({ ok, stopped, started }, { ok: true, stopped: true, started: true }, JSON.stringify(told))
  assert.deepEqual([version(at), rows(at)], ['0.4.4', 12])
  assert.ok(restore.set_aside.length > 0)
  assert.ok(!readdirSync(at.bundle.data).some((name) => name.endsWith('-journal')))
  const checked = await at.tell(['check', '--url', `https://localhost:${at.port}`, '--wait', '20'])
  assert.deepEqual([checked.result.verdict, checked.result.findings], ['attention', []])
  assert.equal(checked.result.archive.id, told.result.backup.archive.id)
})

test('a rollback that fails says so, and the way back is left', async () => {
  await using at = await installMastio()
  await deployed(at)
  const script = badUpgrade(at)
  // The application cannot be stopped any more.
  writeFileSync(
    script,
    `${readFileSync(script, 'utf8')}\nprintf '#!/bin/sh\\nexit 9\\n' > deploy.sh\nexit 1\n`,
  )
  const text = await at.run('guard', '--auto-rollback', ...unprivileged, '--', script)
  assert.equal(text.code, 73, text.stdout + text.stderr)
  assert.match(text.stderr, /the rollback failed \(\.\/deploy\.sh --down\): it ended with exit code 9/)
  assert.match(text.stdout, /The rollback failed\.[^]*The way back\n[^]*sealift restore [0-9a-f]{12} --force/)
  assert.equal(rows(at), 3)
})

test('the folder of the seed is left on request, private and whole, and brings the state before back', async () => {
  await using at = await installMastio()
  const backups = join(at.bundle.path, 'backups')
  const vendors = join(backups, 'pre-upgrade-20250101T000000Z', 'data')
  mkdirSync(vendors, { recursive: true })
  mkdirSync(join(backups, '.pre-upgrade-20250101T000000Z.part'))
  const guard = [
    'guard',
    '--folder',
    '--keep-folders',
    '1',
    '--',
    'true',
    './deploy.sh',
    '--upgrade',
    '0.4.5',
  ]
  const first = await at.tell(guard)
  assert.equal(first.ok, true, JSON.stringify(first.error))
  const second = await at.tell(guard)
  const folder = second.result.folder as string
  // Of Sealift's own one stays; what is not its own is left alone, and what a killed run left is gone.
  assert.deepEqual(readdirSync(backups).toSorted(), ['pre-upgrade-20250101T000000Z', basename(folder)])

  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    assert.equal(statSync(path).mode & 0o7777, entry.isDirectory() ? 0o700 : 0o600, path)
  }
  assert.equal(statSync(folder).mode & 0o7777, 0o700)
  const manifest = JSON.parse(readFileSync(join(folder, 'MANIFEST.json'), 'utf8'))
  assert.deepEqual([manifest.old_version, manifest.new_version], ['0.4.4', '0.4.5'])
  assert.equal(manifest.archive.id, second.result.backup.archive.id)
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'MANIFEST.json')
  const sums = files.map(({ parentPath, name }) => [
    relative(folder, join(parentPath, name)),
    createHash('sha256')
      .update(readFileSync(join(parentPath, name)))
      .digest('hex'),
  ])
  assert.deepEqual(Object.fromEntries(sums), manifest.files)
  for (const name of ['data/mcp_proxy.db', 'nginx-certs/mastio-server.key', 'certs/org-ca.pem', 'deploy.sh'])
    assert.ok(name in manifest.files, name)
  // On the same disk as the live one: with its license, as it was.
  const env = readFileSync(join(at.bundle.path, 'proxy.env'))
  assert.deepEqual(readFileSync(join(folder, 'proxy.env')), env)

  changeDatabase(at.bundle.database, (db) => appendAudit(db, { count: 4 }))
  const back = await at.tell(['rollback', basename(folder), ...unprivileged])
  assert.deepEqual([back.ok, rows(at)], [true, 12], JSON.stringify(back.error))
  // Neither the folder nor the rollback counts as a backup.
  assert.equal((await at.tell(['list'])).result.archives.length, 2)
  writeFileSync(join(at.bundle.path, 'file'), '')
  rmSync(backups, { recursive: true })
  symlinkSync(join(at.bundle.path, 'file'), backups)
  const refused = await at.tell(['guard', '--folder', '--', at.stubs.deploy])
  assert.deepEqual([refused.code, refused.error?.code], [73, 'CHANGE_REFUSED'], JSON.stringify(refused))
  assert.ok(!(await at.stubs.calls()).some((call) => call.startsWith('deploy.sh')))
})

test('a command that is stopped has begun: the run says how it ended and the way back', async () => {
  await using at = await installMastio()
  const script = at.join('long.sh')
  writeFileSync(
    script,
    `#!/bin/sh\ntrap 'exit 5' TERM\ntouch '${at.join('begun')}'\nwhile :; do sleep 0.05; done\n`,
    {
      mode: 0o755,
    },
  )
  const { child, ended } = start(at, [program, 'guard', '--json', '--auto-rollback', '--', script])
  const late = Date.now() + 60_000
  while (!readdirSync(at.folder).includes('begun')) {
    assert.ok(Date.now() < late, 'the command was not begun')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  child.kill('SIGTERM')
  const { stdout } = await ended
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  assert.equal(report.error.code, 'ROLLBACK_FAILED')
  assert.equal(report.result.command.code, 5)
  assert.ok(report.result.way_back.length > 0)
})
