import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownershipOf } from './ownership.ts'

test('restored files get the modes and owners of the application, whatever an archive says', () => {
  const file = (part: Parameters<typeof ownershipOf>[0], path: string, holdsKey = false): string => {
    const { mode, owner } = ownershipOf(part, { path, type: 'file', holdsKey })
    return `${mode.toString(8)} ${owner}`
  }
  assert.equal(file('data', 'mcp_proxy.db'), '600 application')
  assert.equal(file('nginx-certs', 'org-ca.crt'), '644 application')
  assert.equal(file('nginx-certs', 'mastio-server.key'), '600 application')
  assert.equal(file('nginx-certs', '.generation'), '600 application')
  assert.equal(file('saml-keys', 'both.pem', true), '600 application')
  assert.equal(file('certs', 'org-id'), '644 bundle')
  assert.equal(file('config', 'proxy.env'), '600 bundle')
  assert.equal(file('config', 'x.pem'), '600 bundle')
  assert.deepEqual(ownershipOf('data', { path: '', type: 'directory' }), {
    mode: 0o750,
    owner: 'application',
  })
  assert.deepEqual(ownershipOf('certs', { path: '', type: 'directory' }), { mode: 0o755, owner: 'bundle' })
})
