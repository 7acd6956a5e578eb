import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { backup, DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { TestBundle } from '../../../test/support/mastio-bundle.ts'
import { crashWithRows } from '../../../test/support/mastio-fill.ts'
import { makeStubs } from '../../../test/support/mastio-stubs.ts'
import { startMastioWriter } from '../../../test/support/mastio-writer.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { verifyAuditLog } from './audit-log.ts'
import { readEnv } from './env-file.ts'
import { examine } from './examine.ts'
import { httpsGet } from './https-get.ts'
import { checkLive } from './live-checks.ts'
import { scanLog } from './log-scan.ts'
import { checkEndpoints } from './post-boot.ts'
import { openSnapshot } from './snapshot-database.ts'

const { signal } = new AbortController()
const run = promisify(execFile)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function examineSnapshot(bundle: TestBundle, database: string): ReturnType<typeof examine> {
  const { env } = bundle
  const input = { database, env: readEnv(env), files: {}, edition: 'open-core', license: 'absent' } as const
  return examine({ ...input, snapshotAt: new Date() }, signal)
}

/** A snapshot of a live database, in one step. */
async function snapshot(from: string, to: string): Promise<void> {
  using db = new DatabaseSync(from, { readOnly: true })
  await backup(db, to, { rate: 2_147_483_647 })
}

test('a bundle that is deployed passes every check after its start, and its calls are logged', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path)
  const { facts } = await examineSnapshot(bundle, bundle.database)
  const port = await freePort()
  const stubs = await makeStubs(bundle, folder.join('stubs'), port)
  try {
    await run(stubs.deploy, [])
    const connect = { host: '127.0.0.1', port }
    const url = 'https://mastio.acme.test:9443'
    const get = httpsGet({ url, root: bundle.pki.root.cert, connect, timeoutMs: 5000 })
    const sleep = (): Promise<void> => Promise.reject(new Error('it was not ready at once'))
    const patience = { seconds: 60, now: () => new Date(), sleep }
    assert.deepEqual(await checkEndpoints(get, facts, patience, signal), [])
    await snapshot(bundle.database, folder.join('copy.db'))
    using live = openSnapshot(folder.join('copy.db'))
    assert.deepEqual(checkLive(live, facts), [])
    const { stdout } = await run(`${stubs.path}/docker`, [
      'compose',
      '-p',
      'cullis-mastio',
      'logs',
      'mcp-proxy',
    ])
    const scan = await scanLog([stdout], bundle.pki.orgId, signal)
    assert.deepEqual(
      scan.findings.map((one) => one.class),
      ['note', 'note'],
    )
    const ps = async (): Promise<string> => (await run(`${stubs.path}/docker`, ['compose', 'ps'])).stdout
    assert.match(await ps(), /running/)
    await run(stubs.deploy, ['--down'])
    assert.equal(await ps(), '')
    assert.deepEqual(await stubs.calls(), [
      'deploy.sh ',
      'docker compose -p cullis-mastio logs mcp-proxy',
      'docker compose ps',
      'deploy.sh --down',
      'docker compose ps',
    ])
  } finally {
    await stubs.stop()
  }
})

test('a snapshot of one step under a writer of 100 commits a second has an unbroken chain', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, { auditRows: 500 })
  await using writer = await startMastioWriter({ path: bundle.database, rate: 100 })
  const before = writer.committed
  await snapshot(bundle.database, folder.join('copy.db'))
  using db = openSnapshot(folder.join('copy.db'))
  const { head, firstBreak } = await verifyAuditLog(db, signal)
  assert.equal(firstBreak, null)
  assert.ok((head?.max_seq ?? 0) >= 500 + before)
  assert.equal(head?.first_seq, 1)
})

test('a crash leaves rows in the WAL alone: the file without it lacks them', async () => {
  await using folder = await testFolder()
  const bundle = makeBundle(folder.path, { auditRows: 505 })
  await crashWithRows(bundle.database, 2500)
  const rows = async (path: string): Promise<number | undefined> => {
    using db = new DatabaseSync(path)
    return (await verifyAuditLog(db, signal)).head?.chained
  }
  await copyFile(bundle.database, folder.join('alone.db'))
  assert.equal(await rows(folder.join('alone.db')), 505)
  assert.equal(await rows(bundle.database), 3005)
  await rm(folder.join('alone.db'))
})
