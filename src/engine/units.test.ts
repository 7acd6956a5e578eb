import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import type { Manifest, ManifestSource } from '../manifest.ts'
import type { Source } from '../sources/source.ts'
import { planUnits, unitOf } from './units.ts'

function source(name: string, path: string, type: 'file' | 'directory'): ManifestSource {
  const place = { path, type }
  return {
    name,
    kind: type === 'file' ? 'sqlite' : 'files',
    place,
    snapshot_at: '',
    versions: {},
    facts: {},
    members: 1,
    bytes: 1,
  }
}

const manifest: Manifest = {
  manifest: 1,
  archive_id: '00'.repeat(16),
  kind: 'backup',
  app: 'notes',
  profile: 'generic',
  host: 'h',
  started_at: '',
  finished_at: '',
  tool: { name: 'sealift', version: '0' },
  sources: [source('db', '/srv/notes/notes.db', 'file'), source('certs', '/srv/notes/certs', 'directory')],
  warnings: [],
}

function plan(options: { to?: string; only?: string[] } = {}): [string, string][] {
  return planUnits({ manifest, sources: [], ...options }).map(({ prefix, destination }) => [
    prefix,
    destination,
  ])
}

test('each source goes to the place that the manifest names', () => {
  assert.deepEqual(plan(), [
    ['db/notes.db', '/srv/notes/notes.db'],
    ['certs', '/srv/notes/certs'],
  ])
})

test('below --to each source has a folder of its own, and the papers come along', () => {
  assert.deepEqual(plan({ to: '/mnt' }), [
    ['db', '/mnt/db'],
    ['certs', '/mnt/certs'],
    ['MANIFEST.json', '/mnt/MANIFEST.json'],
    ['SHA256SUMS', '/mnt/SHA256SUMS'],
  ])
})

test('--only takes sources and paths in them, and a path inside another is not taken twice', () => {
  assert.deepEqual(plan({ only: ['certs/ca.pem', 'db/'] }), [
    ['certs/ca.pem', '/srv/notes/certs/ca.pem'],
    ['db/notes.db', '/srv/notes/notes.db'],
  ])
  assert.deepEqual(plan({ only: ['certs/ca.pem', 'certs'] }), [['certs', '/srv/notes/certs']])
  assert.deepEqual(plan({ only: ['certs/ca.pem'], to: '/mnt' }), [['certs/ca.pem', '/mnt/certs/ca.pem']])
})

test('an --only that names no source is refused by name', () => {
  assert.throws(
    () => plan({ only: ['nothing/here'] }),
    (error) => isSealiftError(error, 'MEMBER_NOT_FOUND') && error.data.path === 'nothing/here',
  )
})

test('a source without a known place needs --to', () => {
  const { place: _, ...homeless } = source('blob', '/x', 'file')
  const lost = { ...manifest, sources: [homeless] }
  assert.throws(
    () => planUnits({ manifest: lost, sources: [] }),
    (error) => isSealiftError(error, 'DESTINATION_UNKNOWN'),
  )
  assert.equal(planUnits({ manifest: lost, sources: [], to: '/mnt' })[0]?.destination, '/mnt/blob')
})

test('a member belongs to the unit with the longest prefix, and never to one that only begins like it', () => {
  const units = [
    { prefix: 'data', destination: '/a' },
    { prefix: 'data/db', destination: '/b' },
  ]
  assert.equal(unitOf(units, 'data/x')?.destination, '/a')
  assert.equal(unitOf(units, 'data/db/y')?.destination, '/b')
  assert.equal(unitOf(units, 'data')?.destination, '/a')
  assert.equal(unitOf(units, 'database/x'), undefined)
})

test('a file that is lost goes back as a file, although its configured source can no longer tell', () => {
  const lost = {
    name: 'db',
    kind: 'files',
    place: { path: '/new/notes.db', type: 'directory' },
  } as Source
  assert.deepEqual(
    planUnits({ manifest, sources: [lost], only: ['db'] }).map(({ prefix, destination }) => [
      prefix,
      destination,
    ]),
    [['db/notes.db', '/new/notes.db']],
  )
})
