import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealiftError } from '../../errors.ts'
import type { Member } from '../../member.ts'
import { foreign } from './foreign.ts'
import { enterpriseLayout, seedLayout } from './foreign-layout.ts'

const member = (path: string, type: Member['type'] = 'file'): Member => {
  return { path, type, size: 0, mode: 0o777, mtimeMs: 0, uid: 1000, gid: 1000 }
}
const nothing = { sums: new Map<string, string>(), texts: new Map<string, Buffer>() }

test('only the names of this application are its archives', () => {
  const at = new Date('2026-05-14T10:30:25Z')
  for (const name of ['', 'enterprise-']) {
    const said = foreign.named(`cullis-mastio-${name}backup-20260514T103025Z.tar.gz.gpg`)
    assert.deepEqual(said, { takenAt: at })
  }
  for (const name of [
    'cullis-mastio-backup-20260514T103025Z.sealift',
    'cullis-mastio-backup-20260514T103025Z.tar.gz',
    'cullis-mastio-backup-20261314T103025Z.tar.gz.gpg',
    'my-cullis-mastio-backup-20260514T103025Z.tar.gz.gpg',
  ])
    assert.equal(foreign.named(name), undefined, name)
})

test('modes and owners are the application’s, whatever the archive says', () => {
  const reading = foreign.read()
  const application = { uid: 10001, gid: 10001 }
  assert.deepEqual(reading.place(member('data/mcp_proxy.db.snapshot')), {
    path: 'data/mcp_proxy.db',
    mode: 0o600,
    ...application,
  })
  assert.deepEqual(reading.place(member('nginx-certs', 'directory')), {
    path: 'nginx-certs',
    mode: 0o750,
    ...application,
  })
  assert.equal(reading.place(member('nginx-certs/org-ca.key'))?.mode, 0o600)
  assert.equal(reading.place(member('nginx-certs/org-ca.crt'))?.mode, 0o644)
  assert.equal(reading.place(member('proxy.env'))?.mode, 0o600)
  assert.equal(reading.place(member('data', 'directory')), undefined)
})

test('what neither layout has is refused, and an archive without a database', () => {
  for (const path of ['data/mcp_proxy.db-wal', 'data/notes.txt', 'nginx-certs2/x', 'MANIFEST.txt/x', 'x'])
    assert.throws(() => foreign.read().place(member(path)), { code: 'MEMBER_REFUSED' }, path)
  assert.throws(() => foreign.read().place(member('proxy.env', 'directory')), { code: 'MEMBER_REFUSED' })
  const empty = foreign.read()
  empty.place(member('proxy.env'))
  assert.throws(
    () => empty.finish(nothing),
    (error) => isSealiftError(error, 'FOREIGN_REFUSED') && /no database/.test(error.message),
  )
  const mixed = foreign.read()
  mixed.place(member('data/mcp_proxy.db.snapshot'))
  mixed.place(member('MANIFEST.txt'))
  assert.throws(() => mixed.finish(nothing), { code: 'MEMBER_REFUSED' })
})

test('the folders that its proxy.env names are where its sources lie', () => {
  const reading = foreign.read()
  reading.place(member('data/mcp_proxy.db.snapshot'))
  reading.place(member('proxy.env'))
  const env = 'MASTIO_DATA_DIR=/srv/mastio\nCULLIS_CERTS_DIR=moved/certs\n'
  const contents = reading.finish({ ...nothing, texts: new Map([['proxy.env', Buffer.from(env)]]) })
  assert.deepEqual(
    contents.sources.map(({ name }) => name),
    ['data', 'config'],
  )
  const places = contents.places('/opt/bundle')
  assert.equal(places.get('data'), '/srv/mastio/mcp_proxy.db')
  assert.equal(places.get('certs'), '/opt/bundle/moved/certs')
  assert.equal(places.get('config'), '/opt/bundle/proxy.env')
})

test('each layout has the names that its reader tells it by', () => {
  assert.equal(seedLayout.pathOf('data', 'mcp_proxy.db'), 'data/mcp_proxy.db.snapshot')
  assert.equal(enterpriseLayout.pathOf('data', 'mcp_proxy.db'), 'data/mcp_proxy.db')
  for (const layout of [seedLayout, enterpriseLayout]) {
    assert.equal(layout.pathOf('config', 'proxy.env'), 'proxy.env')
    assert.equal(layout.pathOf('certs', ''), 'certs')
    assert.equal(layout.pathOf('saml-keys', 'saml.key'), 'saml-keys/saml.key')
    assert.equal(layout.pathOf('data-files', 'notes.txt'), undefined)
    assert.ok(foreign.named(layout.fileName(new Date('2026-05-14T10:30:25Z'))) !== undefined)
  }
})
