import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findConfig } from './find.ts'

const find = (there: string[], given?: string, env: Record<string, string> = {}): string | undefined =>
  findConfig({ given, env, cwd: '/srv', exists: (path) => there.includes(path) })

const everywhere = ['/a.yaml', '/b.yaml', '/srv/sealift.yaml', '/etc/sealift/sealift.yaml']

test('the first of flag, environment, working folder and /etc is taken', () => {
  assert.equal(find(everywhere, '/a.yaml', { SEALIFT_CONFIG: '/b.yaml' }), '/a.yaml')
  assert.equal(find(everywhere, undefined, { SEALIFT_CONFIG: '/b.yaml' }), '/b.yaml')
  assert.equal(find(everywhere, undefined, { SEALIFT_CONFIG: '' }), '/srv/sealift.yaml')
  assert.equal(find(['/etc/sealift/sealift.yaml']), '/etc/sealift/sealift.yaml')
  assert.equal(find([]), undefined)
})

test('a relative name is taken from the working folder', () => {
  assert.equal(find(['/srv/other.yaml'], 'other.yaml'), '/srv/other.yaml')
})

test('a configuration that was named and is not there is no reason to take another', () => {
  assert.throws(() => find(['/srv/sealift.yaml'], '/a.yaml'), {
    code: 'CONFIG_NOT_FOUND',
    data: { path: '/a.yaml' },
  })
  assert.throws(() => find(['/srv/sealift.yaml'], undefined, { SEALIFT_CONFIG: '/b.yaml' }), {
    code: 'CONFIG_NOT_FOUND',
  })
})
