import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SealiftError, isSealiftError } from '../errors.ts'
import { rsyncFailure } from './rsync-failure.ts'
import { entryOf } from './rsync-list.ts'

const failed = (code: number, stderr: string) =>
  rsyncFailure(
    'far',
    '/srv/archives',
    'list',
    new SealiftError('PROCESS_FAILED', { command: 'rsync', exit: `exit code ${code}`, stderr }),
  )

test('a lost connection may pass; a missing program, a full disk and a strange option will not', () => {
  const end = 'rsync error: unexplained error (code 255) at io.c(232) [sender=3.2.7]'
  for (const [code, words, transient] of [
    [255, 'ssh: connect to host a port 22: Connection refused', true],
    [12, 'rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]', true],
    [30, 'rsync error: timeout in data send/receive (code 30)', true],
    [12, 'bash: line 1: rsync: command not found', false],
    [11, 'rsync: [receiver] write failed on "/x": No space left on device (28)', false],
    [1, 'rsync: on remote machine: --fsync: unknown option', false],
    [12, '/usr/bin/rrsync error: Another instance of rrsync is already accessing this directory.', true],
  ] as const) {
    const error = failed(code, `${words}\n${end}`)
    assert.ok(isSealiftError(error, 'TARGET_UNAVAILABLE'), words)
    assert.equal(error.data.transient, transient, words)
    assert.equal(error.data.reason, words.startsWith('rsync error') ? `${words}; ${end}` : words)
    assert.ok(isSealiftError(error.cause, 'PROCESS_FAILED'))
  }
  const silent = failed(23, '')
  assert.ok(isSealiftError(silent) && silent.message.includes('rsync ended with exit code 23'))
})

test('a refusal and a missing folder have codes of their own', () => {
  for (const words of ['a@b: Permission denied (publickey).', 'Host key verification failed.']) {
    assert.ok(isSealiftError(failed(255, words), 'TARGET_DENIED'), words)
  }
  for (const words of [
    'rsync: [sender] change_dir "/srv/archives" failed: No such file or directory (2)',
    'rsync: change_dir#3 "/srv/archives" failed: No such file or directory (2)',
    'rsync: [Receiver] mkdir "/srv/archives/." failed: No such file or directory (2)',
  ]) {
    const error = failed(23, words)
    assert.ok(isSealiftError(error, 'TARGET_NOT_FOUND'))
    assert.equal(error.message, 'target far: there is no folder /srv/archives')
  }
  const own = new SealiftError('PROCESS_NOT_FOUND', { command: 'rsync' })
  assert.equal(rsyncFailure('far', '/a', 'list', own), own)
})

test('a listed line is a file or a folder with its size and time, or nothing', () => {
  assert.deepEqual(entryOf('-rw-------     5000000 2026/05/14 10:30:25 a.sealift'), {
    name: 'a.sealift',
    folder: false,
    size: 5_000_000,
    modifiedAt: new Date('2026-05-14T10:30:25Z'),
  })
  assert.equal(entryOf('drwxr-xr-x        4096 2026/05/14 10:30:25 .a.part')?.folder, true)
  for (const other of [
    'drwxr-xr-x        4096 2026/05/14 10:30:25 .',
    'lrwxrwxrwx          11 2026/05/14 10:30:25 a.sealift -> b',
    'skipping non-regular file "a.sealift"',
    '',
  ]) {
    assert.equal(entryOf(other), undefined, other)
  }
})
