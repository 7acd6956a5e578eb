import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineContext } from '../../test/support/engine-context.ts'
import type { GuardInput } from './guard-input.ts'
import type { BackupResult } from './report.ts'
import { accepted, wayBack } from './way-back.ts'

const archive = {
  name: 'notes-20260514T103025Z.sealift',
  target: 'disk',
  id: '0123456789abcdef0123456789abcdef',
  created_at: '2026-05-14T10:30:25Z',
  size: 1,
  verified_at: null,
}
const taken: BackupResult = {
  archive,
  payload_bytes: 1,
  members: 1,
  sources: [],
  copies: [],
  placements: [],
  state: 'verified',
  findings: [
    { check: 'intermediate', class: 'attention', detail: '' },
    { check: 'org-id', class: 'note', detail: '' },
  ],
}
const application: GuardInput['application'] = {
  app: 'notes',
  profile: { name: 'generic', title: '' },
  sources: [],
  targets: [],
  compression: 'zstd',
  retention: undefined,
}

test('the way back stops, restores with what was so before, and starts; each word as the shell must see it', () => {
  const input = { application, config: "/srv/it's here/sealift.yaml", accept: ['not-root'] }
  const stack = { folder: '/srv/a b', stop: ['./deploy.sh', '--down'], start: ['./deploy.sh'] }
  const lines = (privileged: boolean): string[] =>
    wayBack({ ctx: engineContext('/tmp', { privileged }), input, taken, stack })
  const restore = `sealift restore 0123456789ab --force --accept intermediate --accept not-root --config '/srv/it'\\''s here/sealift.yaml'`
  assert.deepEqual(lines(true), [
    "(cd '/srv/a b' && ./deploy.sh --down)",
    restore,
    "(cd '/srv/a b' && ./deploy.sh)",
  ])
  assert.equal(lines(false)[1], `sudo ${restore}`)
  assert.deepEqual(
    wayBack({ ctx: engineContext('/tmp', { privileged: true }), input, taken, stack: undefined }),
    [restore],
  )
  assert.deepEqual(accepted({ input: { ...input, accept: ['intermediate'] }, taken }), ['intermediate'])
})
