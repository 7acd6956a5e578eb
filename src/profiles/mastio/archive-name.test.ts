import assert from 'node:assert/strict'
import { test } from 'node:test'
import { archiveName, parseArchiveName, parseFolderName } from './archive-name.ts'

const stamp = new Date('2026-05-14T10:30:25Z')

test('names of archives are read and written back, in both editions and formats', () => {
  for (const name of [
    'cullis-mastio-backup-20260514T103025Z.tar.gz.gpg',
    'cullis-mastio-enterprise-backup-20260514T103025Z.tar.gz.gpg',
    'cullis-mastio-backup-20260514T103025Z.sealift',
  ]) {
    const parsed = parseArchiveName(name)
    assert.ok(parsed)
    assert.deepEqual(parsed.stamp, stamp)
    assert.equal(archiveName(parsed), name)
  }
})

test('a name that is not exactly ours is no archive', () => {
  for (const name of [
    'cullis-mastio-backup-20260514T103025Z.tar.gz',
    'cullis-mastio-backup-20260514T103025Z.tar.gz.gpg.part',
    'my-cullis-mastio-backup-20260514T103025Z.tar.gz.gpg',
    'cullis-mastio-backup-20260230T103025Z.tar.gz.gpg',
    'cullis-mastio-backup-latest.tar.gz.gpg',
  ]) {
    assert.equal(parseArchiveName(name), undefined, name)
  }
})

test('folders of backups/ are told apart, also those that the vendor’s scripts make', () => {
  assert.deepEqual(parseFolderName('pre-upgrade-20260514T103025Z'), { kind: 'pre-upgrade', stamp })
  assert.deepEqual(parseFolderName('pre-upgrade-0.4.5-rc.1-20260514T103025Z'), {
    kind: 'pre-upgrade',
    stamp,
    version: '0.4.5-rc.1',
  })
  assert.deepEqual(parseFolderName('pre-bind-migration-20260514T103025Z'), {
    kind: 'pre-bind-migration',
    stamp,
  })
  assert.deepEqual(parseFolderName('pre-restore-20260514T103025Z'), { kind: 'pre-restore', stamp })
  for (const name of ['pre-upgrade', 'pre-restore-x-20260514T103025Z', 'notes', 'pre-upgrade-..-x']) {
    assert.equal(parseFolderName(name), undefined, name)
  }
})
