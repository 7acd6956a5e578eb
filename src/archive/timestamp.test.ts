import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatPaxTime, formatTime, parsePaxTime, parseTime } from './timestamp.ts'

describe('times of members', () => {
  const cases: [ms: number, rfc3339: string, pax: string][] = [
    [0, '1970-01-01T00:00:00Z', '0'],
    [1_700_000_000_123.456, '2023-11-14T22:13:20.123456Z', '1700000000.123456'],
    [1_700_000_000_500, '2023-11-14T22:13:20.5Z', '1700000000.5'],
    [0.001, '1970-01-01T00:00:00.000001Z', '0.000001'],
    [-1, '1969-12-31T23:59:59.999Z', '-0.001'],
    [-1_500.25, '1969-12-31T23:59:58.49975Z', '-1.50025'],
    [-2_000, '1969-12-31T23:59:58Z', '-2'],
    [Date.parse('2038-01-19T03:14:08Z'), '2038-01-19T03:14:08Z', '2147483648'],
    [Date.parse('9999-12-31T23:59:59Z'), '9999-12-31T23:59:59Z', '253402300799'],
    [Date.parse('0000-01-01T00:00:00Z'), '0000-01-01T00:00:00Z', '-62167219200'],
  ]
  for (const [ms, rfc3339, pax] of cases) {
    it(`${rfc3339} is itself again in both spellings`, () => {
      assert.equal(formatTime(ms), rfc3339)
      assert.equal(formatPaxTime(ms), pax)
      assert.equal(parseTime(rfc3339), ms)
      assert.equal(parsePaxTime(pax), ms)
    })
  }

  it('survive both spellings to the microsecond until 2109, to the millisecond later', () => {
    for (let seed = 1; seed < 20_000; seed++) {
      const micros = (seed * 7_919_993_333_777) % (Date.parse('2109-01-01') * 1000)
      const ms = Math.floor(micros / 1000) + (micros % 1000) / 1000
      const again = parsePaxTime(formatPaxTime(ms)) ?? Number.NaN
      assert.equal(formatTime(again), formatTime(ms))
      assert.equal(parseTime(formatTime(ms)), again)
    }
    const late = Date.parse('2500-01-01T00:00:00Z') + 123.456
    assert.equal(formatTime(late), '2500-01-01T00:00:00.123Z')
    assert.equal(formatTime(parsePaxTime(formatPaxTime(late)) ?? 0), formatTime(late))
  })

  it('refuse every other spelling', () => {
    for (const text of [
      '2026-01-01T00:00:00.10Z',
      '2026-01-01T00:00:00+00:00',
      '2026-02-30T00:00:00Z',
      '2026-01-01',
      '',
    ]) {
      assert.equal(parseTime(text), undefined, text)
    }
    for (const text of ['', '1e3', '0x10', ' 1', '1 ', '--1', '1.2.3', '99999999999999']) {
      assert.equal(parsePaxTime(text), undefined, text)
    }
  })
})
