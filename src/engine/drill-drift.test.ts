import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineContext } from '../../test/support/engine-context.ts'
import { chained, nothingBefore } from '../catalog/evidence-record.ts'
import type { Manifest } from '../manifest.ts'
import { mastio } from '../profiles/mastio/mastio.ts'
import type { Source } from '../sources/source.ts'
import type { Application } from './context.ts'
import { driftFacts, driftOf } from './drill-drift.ts'

const ctx = engineContext('/nowhere', { version: '0.2.0', host: 'here', profiles: { mastio } })

const manifest: Manifest = {
  manifest: 1,
  archive_id: 'aa',
  kind: 'backup',
  app: 'mastio',
  profile: 'mastio',
  host: 'here',
  started_at: '2026-05-14T02:00:00Z',
  finished_at: '2026-05-14T02:00:09Z',
  tool: { name: 'sealift', version: '0.2.0' },
  sources: [
    {
      name: 'data',
      kind: 'sqlite',
      place: { path: '/srv/data/mcp_proxy.db', type: 'file' },
      snapshot_at: '2026-05-14T02:00:00Z',
      versions: {},
      facts: { alembic_head: '0042_audit_log_v2', agents_total: 7, schema_sha256: 'cd'.repeat(32), rows: {} },
      members: 1,
      bytes: 1,
    },
  ],
  warnings: [],
}

const source = (name: string, kind: string, path: string) =>
  ({ name, kind, place: { path, type: 'file' } }) as unknown as Source
const application = (...sources: readonly Source[]) =>
  ({ app: 'mastio', profile: mastio, sources, targets: [] }) as unknown as Application
const same = application(source('data', 'sqlite', '/srv/data/mcp_proxy.db'))

const drilled = (facts: Record<string, string | number>) =>
  chained(
    {
      kind: 'drill',
      time: '2026-02-11T08:00:00Z',
      app: 'mastio',
      host: 'here',
      version: '0.2.0',
      subject: {},
      verdict: 'ok',
      details: { facts },
    },
    { seq: 0, hash: nothingBefore },
  )

test('nothing is noted where nothing changed, or nothing is known', () => {
  assert.deepEqual(driftOf(ctx, manifest, same, undefined), [])
  assert.deepEqual(driftOf(ctx, manifest, undefined, undefined), [])
  assert.deepEqual(driftOf(ctx, manifest, same, drilled({})), [])
  assert.deepEqual(
    driftOf(ctx, manifest, same, drilled({ ...driftFacts(ctx, manifest) } as Record<string, string>)),
    [],
  )
})

test('of the facts only those that tell of a change are kept', () => {
  assert.deepEqual(driftFacts(ctx, manifest), {
    'data.alembic_head': '0042_audit_log_v2',
    'data.schema_sha256': 'cd'.repeat(32),
  })
})

test('what is configured and not archived, archived and not configured, or elsewhere, is noted', () => {
  const now = application(source('db', 'sqlite', '/srv/db'))
  assert.deepEqual(driftOf(ctx, manifest, now, undefined), [
    'source db is configured, and not in the archive',
    'source data is archived, and not configured',
  ])
  const moved = application(source('data', 'sqlite', '/mnt/data/mcp_proxy.db'))
  assert.deepEqual(driftOf(ctx, manifest, moved, undefined), [
    'source data came from /srv/data/mcp_proxy.db, and is configured at /mnt/data/mcp_proxy.db',
  ])
})

test('another Sealift, another host and another schema are noted; of a foreign archive only the schema', () => {
  const old = { ...manifest, tool: { name: 'sealift', version: '0.1.0' }, host: 'there' }
  const before = drilled({ 'data.alembic_head': '0037_audit_dev_attest' })
  const schema = 'data.alembic_head was 0037_audit_d… at the drill of 2026-02-11, and is 0042_audit_log_v2'
  assert.deepEqual(driftOf(ctx, old, same, drilled({ 'data.alembic_head': 'x' })), [
    'the archive was written by sealift 0.1.0, and this is 0.2.0',
    'the archive was written on there, and this is here',
    'data.alembic_head was x at the drill of 2026-02-11, and is 0042_audit_log_v2',
  ])
  const foreign = { ...old, tool: { name: 'gpg', version: '2.2' } }
  assert.deepEqual(driftOf(ctx, foreign, same, before), [
    schema.replace('0037_audit_d…', '0037_audit_dev_attest'),
  ])
})
