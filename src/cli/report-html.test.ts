import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'node:test'
import { busyReport } from '../../test/support/evidence-report.ts'
import { reportHtml } from './report-html.ts'
import { reportText } from './report-text.ts'
import { styleFor } from './style.ts'
import type { View } from './renderer.ts'

const breaches = Array.from({ length: 9 }, (_, at) => ({
  breach: 'target-unverified' as const,
  detail: `target ${at}: none of its archives was verified <b>`,
  fix: 'drill it',
}))

test('the page needs nothing else: no script, no address, and text is text', () => {
  const html = reportHtml(busyReport({ app: '<script>"&', breaches }))
  assert.doesNotMatch(html, /<script|https?:|src=|url\(|@import/)
  assert.match(html, /&lt;script&gt;&quot;&amp;/)
  assert.match(html, /9 breaches[^]*target-unverified[^]*and 3 more/)
  assert.match(reportHtml(busyReport()), /All objectives are met/)
})

test('the page has every control with what it rests on', () => {
  const report = busyReport()
  const html = reportHtml(report)
  for (const { control, rests_on } of report.controls) {
    assert.ok(html.includes(control))
    for (const { ground } of rests_on) assert.ok(html.includes(`<td>${ground}</td>`))
  }
})

test('the text fits 80 columns and names every breach', () => {
  const style = styleFor(process.stdout, { NO_COLOR: '1' })
  const view = { style, now: new Date('2026-05-14T10:20:00Z') } as View
  const text = reportText(busyReport({ breaches }), view)
  for (const line of text.split('\n')) assert.ok(stripVTControlCharacters(line).length <= 80, line)
  assert.equal(text.match(/target-unverified/g)?.length, 9)
  assert.match(text, /SOC 2 CC9.2/)
  assert.match(text, /Art. 12 is backup/)
})
