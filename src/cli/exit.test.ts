import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Report } from '../engine/report.ts'
import { reported } from '../engine/run.ts'
import { SealiftError } from '../errors.ts'
import { exitOf } from './exit.ts'

function report(error?: SealiftError): Report<unknown> {
  const at = '2026-01-01T00:00:00Z'
  const base = { verb: 'v', run: '', started_at: at, finished_at: at, seconds: 0, warnings: [] }
  return error === undefined ? { ...base, ok: true } : { ...base, ok: false, error: reported(error) }
}

test('a run that ends well exits with 0, and with 1 where something wants a look', () => {
  assert.equal(exitOf(report(), false, undefined), 0)
  assert.equal(exitOf(report(), true, undefined), 1)
})

test('each kind of error has its own exit code', () => {
  const codes = [
    new SealiftError('USAGE', { reason: 'x' }),
    new SealiftError('HEADER_CHANGED', {}),
    new SealiftError('MEMBER_NOT_FOUND', { path: 'x' }),
    new SealiftError('ARCHIVE_TOO_NEW', { format: 2 }),
    new SealiftError('BUG', { reason: 'x' }),
    new SealiftError('LOCKED', { app: 'x', holder: 'y' }),
    new SealiftError('NO_KEY_FITS', { tried: 1, slots: 'x' }),
  ].map((error) => exitOf(report(error), false, undefined))
  assert.deepEqual(codes, [64, 65, 66, 69, 70, 73, 77])
})

test('a run that a signal stopped exits as shells count signals', () => {
  const stopped = report(new SealiftError('CANCELLED', {}))
  assert.equal(exitOf(stopped, false, 'SIGINT'), 130)
  assert.equal(exitOf(stopped, false, 'SIGTERM'), 143)
  assert.equal(exitOf(stopped, false, 'SIGHUP'), 129)
  assert.equal(exitOf(stopped, false, 'SIGPIPE'), 141)
})

test('a signal that came too late, or beside another failure, leaves the code', () => {
  assert.equal(exitOf(report(), false, 'SIGINT'), 0)
  assert.equal(exitOf(report(new SealiftError('HEADER_CHANGED', {})), false, 'SIGINT'), 65)
})
