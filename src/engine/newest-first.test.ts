import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newestFirst } from './newest-first.ts'

test('archives are ordered by their own times, those of one second by their numbers', () => {
  const archive = (created_at: string, name: string) => ({ created_at, name: `notes-${name}.sealift` })
  const ordered = [
    archive('2026-11-22T12:00:01Z', '20261122T120001Z'),
    archive('2026-11-22T12:00:01Z', '20261122T120000Z-11'),
    archive('2026-11-22T12:00:00Z', '20261122T120000Z-10'),
    archive('2026-11-22T12:00:00Z', '20261122T120000Z-2'),
    archive('2026-11-22T12:00:00Z', '20261122T120000Z'),
    archive('2025-11-22T12:00:00Z', '20271122T120000Z'),
  ]
  assert.deepEqual(ordered.toReversed().toSorted(newestFirst), ordered)
})
