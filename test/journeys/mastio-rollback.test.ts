import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { start } from '../support/journey-program.ts'
import { appendAudit, tamper } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { crashWithRows } from '../support/mastio-fill.ts'
import type { Installation } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'

const unprivileged = process.geteuid?.() === 0 ? [] : ['--accept', 'not-root']
const id = 'pre-upgrade-0.4.5-20260514T103025Z'

/** The folder that the bundle's script leaves, its database copied while it was written; then the upgrade, and rows. */
async function upgraded(at: Installation): Promise<string> {
  const { path, database, nginxCerts } = at.bundle
  await crashWithRows(database, 300)
  assert.ok(existsSync(`${database}-wal`))
  const folder = join(path, 'backups', id)
  mkdirSync(join(folder, 'data'), { recursive: true })
  for (const end of ['', '-wal']) cpSync(database + end, join(folder, 'data', `mcp_proxy.db${end}`))
  cpSync(nginxCerts, join(folder, 'nginx-certs'), { recursive: true })
  cpSync(join(path, 'proxy.env'), join(folder, 'proxy.env'))
  changeDatabase(database, (db) => appendAudit(db, { count: 7 }))
  const env = join(path, 'proxy.env')
  writeFileSync(env, readFileSync(env, 'utf8').replace('VERSION=0.4.4', 'VERSION=0.4.5'))
  return folder
}

function rows({ bundle }: Installation): number {
  using db = new DatabaseSync(bundle.database, { readOnly: true })
  return Number(db.prepare('SELECT max(chain_seq) AS n FROM audit_log').get()?.['n'])
}

const version = ({ bundle }: Installation): string | undefined =>
  /^CULLIS_MASTIO_VERSION=(.*)$/m.exec(readFileSync(join(bundle.path, 'proxy.env'), 'utf8'))?.[1]

/** Every file of a folder with its content. */
function contents(folder: string): unknown[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'base64')])
}

test('a folder of the application’s own script is listed, and brings database, version and certificates back', async () => {
  await using at = await installMastio({ auditRows: 20 })
  const folder = await upgraded(at)
  const before = contents(folder)
  const listed = await at.tell(['rollback', '--list'])
  assert.deepEqual(listed.result.backups, [
    {
      id,
      path: folder,
      what: 'before the upgrade to 0.4.5',
      taken_at: '2026-05-14T10:30:25.000Z',
      sources: ['data', 'nginx-certs', 'config'],
    },
  ])
  assert.match(listed.result.note, /no substitute for a backup elsewhere, and counted for no objective/)
  assert.deepEqual([version(at), rows(at)], ['0.4.5', 327])

  const back = await at.tell(['rollback', id, ...unprivileged])
  assert.deepEqual([back.ok, version(at), rows(at)], [true, '0.4.4', 320], JSON.stringify(back.error))
  assert.ok(
    back.result.restore.undone.some((line: string) => /\b7\b.*audit/.test(line)),
    JSON.stringify(back.result.restore.undone),
  )
  assert.ok(back.result.restore.set_aside.length > 0)
  assert.match(readFileSync(join(at.bundle.path, 'proxy.env'), 'utf8'), /^CULLIS_LICENSE_KEY=eyJ/m)
  // It was looked at as a copy, and counts for nothing.
  assert.deepEqual(contents(folder), before)
  const archives = await at.tell(['list'])
  assert.deepEqual(archives.result.archives, [])
  assert.deepEqual(readdirSync(at.join('state/scratch')), [])
  assert.ok(!existsSync(at.join('state/rollback')))
})

test('a torn folder, one with a broken chain and an unknown one are refused with nothing changed', async () => {
  await using at = await installMastio({ auditRows: 400 })
  const folder = await upgraded(at)
  const database = join(folder, 'data', 'mcp_proxy.db')
  const unknown = await at.tell(['rollback', 'pre-upgrade-0.9-20260101T000000Z'])
  assert.deepEqual([unknown.code, unknown.error?.code], [66, 'ARCHIVE_NOT_FOUND'])

  const whole = readFileSync(database)
  writeFileSync(`${database}-wal`, '')
  truncateSync(database, whole.length - 3 * 4096)
  const torn = await at.tell(['rollback', id, ...unprivileged])
  assert.deepEqual([torn.code, torn.error?.code], [65, 'ROLLBACK_REFUSED'], JSON.stringify(torn))

  writeFileSync(database, whole)
  changeDatabase(database, (db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq = 5'))
  const broken = await at.tell(['rollback', id, ...unprivileged])
  assert.equal(broken.error?.code, 'ROLLBACK_FAILED')
  assert.match(broken.error.message, /audit-chain/)
  assert.deepEqual([version(at), rows(at)], ['0.4.5', 707])
  assert.ok(!existsSync(at.join('state/rollback')))
})

test('a running application is not rolled back under its feet: it is stopped and started on request', async () => {
  await using at = await installMastio()
  await upgraded(at)
  assert.equal((await start(at, [at.stubs.deploy]).ended).code, 0)
  const refused = await at.tell(['rollback', id, ...unprivileged])
  assert.equal(refused.error?.code, 'ROLLBACK_FAILED')
  assert.equal(version(at), '0.4.5')
  const back = await at.tell(['rollback', id, '--restart', ...unprivileged])
  assert.deepEqual(
    [back.ok, back.result?.started, version(at)],
    [true, true, '0.4.4'],
    JSON.stringify(back.error),
  )
  assert.equal(rows(at), 312)
  const calls = (await at.stubs.calls()).filter((call) => call.startsWith('deploy.sh'))
  assert.deepEqual(calls, ['deploy.sh ', 'deploy.sh --down', 'deploy.sh '])
})
