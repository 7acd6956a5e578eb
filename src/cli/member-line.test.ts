import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberLine, permissions } from './member-line.ts'

const mtimeMs = Date.parse('2026-03-01T12:00:00Z')

test('a member is shown as ls would show it', () => {
  const file = { path: 'db/a.sqlite', type: 'file', size: 2048, mode: 0o640, mtimeMs, offset: 0 } as const
  assert.equal(memberLine(file), '-rw-r-----     2.0 KiB  2026-03-01 12:00Z  db/a.sqlite')
  const link = {
    path: 'x/l',
    type: 'symlink',
    link: '../y',
    size: 0,
    mode: 0o777,
    mtimeMs,
    offset: 0,
  } as const
  assert.equal(memberLine(link), 'lrwxrwxrwx              2026-03-01 12:00Z  x/l -> ../y')
})

test('a name with a line end stays on its line', () => {
  const file = { path: 'a\nb', type: 'file', size: 0, mode: 0, mtimeMs, offset: 0 } as const
  assert.match(memberLine(file), /a\\nb$/)
})

test('set-id and sticky bits stand where ls has them', () => {
  assert.deepEqual([0o4755, 0o4644, 0o2755, 0o1777, 0o1776].map(permissions), [
    'rwsr-xr-x',
    'rwSr--r--',
    'rwxr-sr-x',
    'rwxrwxrwt',
    'rwxrwxrwT',
  ])
})
