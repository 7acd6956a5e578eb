import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { startApplication } from '../support/mastio-application.ts'
import { restamped, seedArchive } from '../support/mastio-archives.ts'
import { tamper } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import type { Installation, Told } from '../support/mastio-installation.ts'
import { installMastio } from '../support/mastio-installation.ts'

const passphrase = 'six random words make one'
const gpg = ['--s2k-count', '65536']
const quietLog = 'mcp-proxy-1  | {"level":"INFO","message":"nginx server cert reused"}\n'

async function checked(at: Installation, ...more: string[]): Promise<Told> {
  const { pki } = at.bundle
  await using application = await startApplication({ server: pki.server, ca: pki.root.cert })
  writeFileSync(at.join('log'), quietLog)
  const url = `https://localhost:${application.port}`
  return await at.tell(['check', '--url', url, '--logs', 'log', '--wait', '1', ...more])
}

test('the facts of a foreign archive are computed at its restore, and a later check compares with them', async () => {
  await using at = await installMastio()
  const { bundle } = at
  mkdirSync(at.join('archives'), { mode: 0o700 })
  const archive = seedArchive(bundle, at.join('archives'), { passphrase, gpg })
  for (const part of [bundle.data, bundle.nginxCerts, bundle.certs, join(bundle.path, 'proxy.env')])
    rmSync(part, { recursive: true })
  const restored = await at.tell(['restore', 'latest'])
  assert.equal(restored.ok, true, JSON.stringify(restored))
  const good = await checked(at)
  assert.equal(good.ok, true, JSON.stringify(good))
  assert.deepEqual(
    [good.result.facts_from, good.result.archive.name, good.result.verdict],
    ['catalogue', basename(archive), 'ok'],
  )
  // Named, or without a catalogue, the archive itself is examined, and nothing of it is left.
  rmSync(at.join('state'), { recursive: true })
  const opened = await checked(at, archive)
  assert.deepEqual(
    [opened.result?.facts_from, opened.result?.verdict],
    ['archive', 'ok'],
    JSON.stringify(opened),
  )
  assert.deepEqual(readdirSync(at.join('state/scratch')), [])
  changeDatabase(bundle.database, (db) => tamper(db, 'DELETE FROM audit_log WHERE chain_seq > 3'))
  const lost = await checked(at, archive)
  assert.deepEqual([lost.result?.verdict, lost.error?.code], ['fail', 'LIVE_CHECK_FAILED'])
})

test('retention looks into foreign archives of which nothing is known, and into no others', async () => {
  await using at = await installMastio()
  mkdirSync(at.join('archives'), { mode: 0o700 })
  const now = new Date()
  const stamp = (days: number): string =>
    new Date(now.getTime() - days * 86_400_000).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const newest = seedArchive(at.bundle, at.join('archives'), { passphrase, gpg, stamp: stamp(1) })
  const old = restamped(newest, stamp(40))
  const foreign = at.join('archives/holiday-20200101T000000Z.tar.gz.gpg')
  writeFileSync(foreign, 'of somebody else')
  const names = (): string[] => readdirSync(at.join('archives')).toSorted()
  assert.equal((await at.tell(['backup'])).ok, true)
  const before = names()
  assert.ok(before.includes(basename(newest)))
  // A good one of this CA is known; of the old one nobody knows yet which CA it is of.
  const args = ['prune', '--older-than', '30d']
  const pruned = await at.tell(args)
  assert.equal(pruned.ok, true, JSON.stringify(pruned))
  assert.deepEqual(
    names(),
    before.filter((name) => name !== basename(old)),
    JSON.stringify(pruned.result),
  )
})
