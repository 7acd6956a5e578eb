import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealiftError, SealiftError } from '../errors.ts'
import { gpgTarGz } from '../formats/gpg-tar-gz.ts'
import { generic } from '../profiles/generic/generic.ts'
import type { Profile } from '../profiles/profile.ts'
import { engineContext } from '../../test/support/engine-context.ts'
import { memoryTarget } from '../../test/support/memory-target.ts'
import type { Target } from '../targets/target.ts'
import { isNamedFor, readInventory } from './inventory.ts'

const ctx = engineContext('/nonexistent')

function dead(name: string): Target {
  const failure = new SealiftError('TARGET_UNAVAILABLE', {
    target: name,
    operation: 'list',
    reason: 'no route to host',
  })
  const target = memoryTarget(name)
  // eslint-disable-next-line require-yield -- it fails before it has anything
  target.list = async function* list() {
    throw failure
  }
  return target
}

test('a target that is down does not hide what the others hold', async () => {
  const alive = memoryTarget('disk')
  const { archives, unavailable } = await readInventory(ctx, [dead('far'), alive])
  assert.deepEqual(archives, [])
  assert.deepEqual(
    unavailable.map(({ target, error }) => [target, error.code]),
    [['far', 'TARGET_UNAVAILABLE']],
  )
})

test('when no target answers, that is the error', async () => {
  await assert.rejects(
    readInventory(ctx, [dead('far'), dead('near')]),
    (error) => isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.target === 'far',
  )
})

test('only the names that a backup gives count as archives of an application', () => {
  assert.ok(isNamedFor('notes-20260101T000000Z.sealift', 'notes'))
  assert.ok(isNamedFor('notes-20260101T000000Z-2.sealift', 'notes'))
  for (const other of [
    'notes-old-20260101T000000Z.sealift',
    'notes.sealift',
    'xnotes-20260101T000000Z.sealift',
  ]) {
    assert.ok(!isNamedFor(other, 'notes'), other)
  }
})

test('foreign archives count by their names: those of the application, by the time in the name', async () => {
  const disk = memoryTarget('disk')
  const put = (name: string, bytes: Buffer): void => {
    disk.objects.set(name, { bytes, modifiedAt: new Date('2026-11-01T00:00:00Z') })
  }
  const gpg = Buffer.from('8c0d0409030a', 'hex')
  put('vault-backup-20260514T103025Z.tar.gz.gpg', gpg)
  put('vault-backup-20260515T103025Z.tar.gz.gpg', Buffer.from('not gpg'))
  put('holiday-pictures.tar.gz.gpg', gpg)
  const vault = vaultProfile()
  const world = engineContext('/nonexistent', { profiles: { vault, generic }, formats: [gpgTarGz] })
  const list = async (application?: { app: string; profile: Profile }) => {
    const { archives, unreadable } = await readInventory(world, [disk], application)
    return {
      archives: archives.map(({ name, created_at, format, size }) => [name, created_at, format, size]),
      unreadable: unreadable.map(({ name, error }) => [name, error.code]),
    }
  }
  const found = {
    archives: [['vault-backup-20260514T103025Z.tar.gz.gpg', '2026-05-14T10:30:25Z', 'gpg', gpg.length]],
    unreadable: [['vault-backup-20260515T103025Z.tar.gz.gpg', 'NOT_AN_ARCHIVE']],
  }
  assert.deepEqual(await list({ app: 'vault', profile: vault }), found)
  assert.deepEqual(await list(), found)
  assert.deepEqual(await list({ app: 'vault', profile: generic }), { archives: [], unreadable: [] })
})

function vaultProfile(): Profile {
  const unused = (): never => assert.fail('a list only reads names')
  const named = (name: string) => {
    const [, day] = /^vault-backup-(\d{8})T103025Z\.tar\.gz\.gpg$/.exec(name) ?? []
    if (day === undefined) return undefined
    return { takenAt: new Date(`${day.replace(/(....)(..)(..)/, '$1-$2-$3')}T10:30:25Z`) }
  }
  const foreign = { format: 'gpg', named, read: unused, layouts: {}, usualLayout: unused }
  return { name: 'vault', title: 'a vault', foreign }
}
