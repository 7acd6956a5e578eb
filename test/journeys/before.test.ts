import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { enterpriseArchive, seedArchive } from '../support/mastio-archives.ts'
import { appendAudit } from '../support/mastio-chain.ts'
import { changeDatabase } from '../support/mastio-database.ts'
import { installMastio } from '../support/mastio-installation.ts'

const passphrase = 'six random words make one'
const gpg = ['--s2k-count', '65536']

test('--before picks the right one among archives of the page, of the enterprise script, and sealed ones', async () => {
  await using at = await installMastio()
  const { bundle } = at
  mkdirSync(at.join('archives'), { mode: 0o700 })
  // The database's newest row is of 10:30:37.
  const seed = seedArchive(bundle, at.join('archives'), { passphrase, gpg, stamp: '20260514T103030Z' })
  const later = seedArchive(bundle, at.join('archives'), { passphrase, gpg, stamp: '20260514T110000Z' })
  changeDatabase(bundle.database, (db) => {
    appendAudit(db, { count: 1, from: new Date(Date.parse('2026-05-15T10:00:20Z') - 13_000) })
  })
  const enterprise = enterpriseArchive(bundle, at.join('archives'), {
    passphrase,
    gpg,
    stamp: '20260515T100000Z',
  })
  const made = await at.tell(['backup'])
  const sealed = String(made.result.archive.name)
  const chosen = async (time: string, archive = 'latest', ...more: string[]): Promise<string> => {
    const { ok, result, error } = await at.tell(['show', archive, '--before', time, ...more])
    return ok ? String(result.archive.name) : String(error?.code)
  }
  // Taken by name at 10:00:00, and a row in it is of 10:00:20.
  assert.equal(await chosen('2026-05-15T10:00:10Z'), basename(later))
  assert.equal(await chosen('2026-05-15 10:00:21'), basename(enterprise))
  assert.equal(await chosen('2026-05-14 11:00:00'), basename(seed))
  assert.equal(await chosen('2026-05-14 11:00:01'), basename(later))
  assert.equal(await chosen('2026-05-14 10:30:35'), 'ARCHIVE_NOT_FOUND')
  assert.equal(await chosen('2026-05-14 10:30:38'), basename(seed))
  assert.equal(await chosen(String(made.result.archive.created_at)), basename(enterprise))
  assert.equal(await chosen('2100-01-01 00:00'), sealed)
  // One that is named is held to the moment, too.
  assert.equal(await chosen('2026-05-15T10:00:10Z', basename(enterprise)), 'ARCHIVE_LATER')
  assert.equal(
    await chosen('2026-05-15T10:00:10Z', basename(enterprise), '--allow-later'),
    basename(enterprise),
  )
  assert.equal(await chosen('2026-05-15T10:00:10Z', later), later)
  assert.equal(await chosen('2026-05-15', 'latest'), 'USAGE')
  // What was looked into is gone again.
  assert.deepEqual(readdirSync(at.join('state/scratch')), [])
  assert.deepEqual(readdirSync(at.join('state/incoming')), [])
})

test('after a wipe the newest archive is found over both folders, with no configuration and no state', async () => {
  await using at = await installMastio()
  const { bundle } = at
  for (const folder of ['backups', 'var']) mkdirSync(at.join(folder), { mode: 0o700 })
  seedArchive(bundle, at.join('backups'), { passphrase, gpg, stamp: '20260514T110000Z' })
  const newest = seedArchive(bundle, at.join('var'), { passphrase, gpg, stamp: '20260514T120000Z' })
  rmSync(at.join('sealift.yaml'))
  for (const part of [bundle.data, bundle.nginxCerts, bundle.certs]) rmSync(part, { recursive: true })
  const places = ['--from', 'backups', '--from', 'var', '--from', 'nowhere', '--no-config']
  const env = { SEALIFT_STATE_DIR: at.join('fresh') }
  const listed = await at.tell(['list', ...places], { env })
  assert.deepEqual(
    (listed.result.archives as { created_at: string; target: string }[]).map((one) => [
      one.created_at,
      one.target,
    ]),
    [
      ['2026-05-14T12:00:00Z', 'var'],
      ['2026-05-14T11:00:00Z', 'backups'],
    ],
  )
  const given = [...places, '--passphrase-file', 'pass', '--to', 'look']
  const { ok, result, error, outcome } = await at.tell(['restore', 'latest', ...given], { env })
  assert.equal(ok, true, JSON.stringify(error))
  assert.equal(result.archive.name, basename(newest))
  assert.match(outcome.stdout, /there is no folder nowhere/)
})
