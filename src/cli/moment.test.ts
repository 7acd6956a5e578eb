import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealiftError } from '../errors.ts'
import { parseMoment } from './moment.ts'

test('a moment is RFC 3339, or as list shows it, or as names have it', () => {
  for (const [text, iso] of [
    ['2026-05-14T10:30:00Z', '2026-05-14T10:30:00.000Z'],
    ['2026-05-14t10:30:00z', '2026-05-14T10:30:00.000Z'],
    ['2026-05-14T12:30:00+02:00', '2026-05-14T10:30:00.000Z'],
    ['2026-05-13 23:30-11:00', '2026-05-14T10:30:00.000Z'],
    ['2026-05-14T10:30:00.123456Z', '2026-05-14T10:30:00.123Z'],
    ['2026-05-14 10:30', '2026-05-14T10:30:00.000Z'],
    ['2026-05-14 10:30:25', '2026-05-14T10:30:25.000Z'],
    ['2026-05-14 10:30Z', '2026-05-14T10:30:00.000Z'],
    [' 20260514T103025Z ', '2026-05-14T10:30:25.000Z'],
    ['2028-02-29 00:00', '2028-02-29T00:00:00.000Z'],
  ] as const) {
    assert.equal(parseMoment(text, '--before').toISOString(), iso, text)
  }
})

test('what could mean two moments is refused, and so is what no calendar has', () => {
  for (const [text, why] of [
    ['2026-05-14', /a day alone is no moment/],
    ['2026-05-14T10:30:00', /its zone is missing/],
    ['2026-05-14T10:30', /its zone is missing/],
    ['05/06/2026 10:30', /not understood/],
    ['14.05.2026', /not understood/],
    ['yesterday', /not understood/],
    ['10:30', /not understood/],
    ['1778754600', /not understood/],
    ['', /not understood/],
    ['2026-02-30 10:30', /no such day/],
    ['2026-02-29T10:30:00Z', /no such day/],
    ['2026-13-01 10:30', /no such time/],
    ['2026-05-14 25:30', /no such time/],
    ['2026-05-14 10:61', /no such time/],
    ['20260230T103025Z', /no such day/],
  ] as const) {
    assert.throws(
      () => parseMoment(text, '--before'),
      (error) =>
        isSealiftError(error, 'USAGE') && why.test(error.message) && error.message.startsWith('--before'),
      text,
    )
  }
})
