import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { plainBackupsOf } from './plain-backups.ts'

test('the folders of the bundle’s own scripts are found by their names, newest first', async () => {
  await using folder = await testFolder()
  const lay = (id: string, ...files: string[]): void => {
    for (const name of files) {
      const path = folder.join('backups', id, name)
      mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true })
      writeFileSync(path, '')
    }
  }
  lay('pre-upgrade-0.4.5-20260514T103025Z', 'data/mcp_proxy.db', 'nginx-certs/org-ca.crt', 'proxy.env')
  lay('pre-bind-migration-20260601T000000Z', 'mcp_proxy.db')
  lay('pre-upgrade-20260101T000000Z', 'data/mcp_proxy.db', 'certs/org-ca.pem', 'saml-keys/saml.key')
  lay('pre-upgrade-0.4.6-20260701T000000Z', 'proxy.env')
  lay('pre-restore-20260701T000000Z', 'data/mcp_proxy.db')
  const found = await plainBackupsOf(new Map([['config', folder.join('proxy.env')]]))
  assert.deepEqual(
    found.map(({ id, what, taken_at, places }) => [id, what, taken_at, [...places.keys()]]),
    [
      [
        'pre-bind-migration-20260601T000000Z',
        'before the move to bind mounts',
        '2026-06-01T00:00:00.000Z',
        ['data'],
      ],
      [
        'pre-upgrade-0.4.5-20260514T103025Z',
        'before the upgrade to 0.4.5',
        '2026-05-14T10:30:25.000Z',
        ['data', 'nginx-certs', 'config'],
      ],
      [
        'pre-upgrade-20260101T000000Z',
        'before an upgrade',
        '2026-01-01T00:00:00.000Z',
        ['data', 'certs', 'saml-keys'],
      ],
    ],
  )
  assert.deepEqual(await plainBackupsOf(new Map([['config', folder.join('elsewhere/proxy.env')]])), [])
})
