import type { EvidenceReport } from '../engine/report-evidence.ts'
import { duration, minute, several } from './quantity.ts'
import { chainText, versionsText } from './report-text.ts'

/**
 * The evidence report as one HTML page that needs nothing else: no script, no font, no picture, no address. It is made to
 * print on one A4 sheet; what could grow without end is cut, and says so.
 */
export function reportHtml(report: EvidenceReport): string {
  const { app, as_of, breaches } = report
  const verdict =
    breaches.length === 0
      ? '<p class="verdict ok">All objectives are met.</p>'
      : `<p class="verdict breach">${several(breaches.length, 'breach', 'breaches')}</p>`
  const body = [
    `<header><h1>Recovery evidence: ${text(app)}</h1><p>${text(report.profile)} on ${text(report.host)}, as of ${minute(as_of)}</p></header>`,
    verdict,
    list(breaches.map(({ breach, detail }) => `<b>${breach}</b> ${text(detail)}`)),
    summary(report),
    '<h2>Targets</h2>',
    targets(report),
    '<h2>Drills</h2>',
    drills(report),
    report.drift.length === 0 ? '' : `<p class="small">Drift: ${text(joined(report.drift))}</p>`,
    controls(report),
    `<footer>Evidence log: ${several(report.evidence.records, 'record')}, head <code>${report.evidence.head.hash}</code>. ${text(report.evidence.notes.slice(0, most).join('; '))}</footer>`,
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Recovery evidence: ${text(app)}, ${as_of.slice(0, 10)}</title>
<style>${style}</style>
</head>
<body>
${body.filter((part) => part !== '').join('\n')}
</body>
</html>
`
}

/** How many lines of a list a sheet has room for. */
const most = 6

function summary(report: EvidenceReport): string {
  const { rpo, rto, drillEvery } = report.objectives
  const rows: [string, string][] = [
    ['Objectives', `RPO ${duration(rpo)}, RTO ${duration(rto)}, a drill every ${duration(drillEvery)}`],
    ['Retention', report.retention],
    ['Audit chains', chainText(report)],
    ['Versions', versionsText(report)],
  ]
  const cells = rows.map(([name, value]) => `<dt>${name}</dt><dd>${text(value)}</dd>`)
  return `<dl>${cells.join('')}</dl>`
}

function targets(report: EvidenceReport): string {
  const rows = report.targets
    .slice(0, most)
    .map(({ target, off_host, archives, newest, newest_verified: held }) => [
      text(target),
      off_host ? 'yes' : '<b>no</b>',
      String(archives),
      newest === null ? '<b>none</b>' : minute(newest.created_at),
      held === null ? '<b>none</b>' : `${minute(held.created_at)} (${duration(held.age)})`,
    ])
  return (
    table(['Target', 'Off-host', 'Archives', 'Newest', 'Newest verified (age)'], rows) +
    cutNote(report.targets)
  )
}

function drills({ drills: all, objectives }: EvidenceReport): string {
  if (all.length === 0) return '<p><b>None yet.</b></p>'
  const rows = all
    .slice(0, most)
    .map(({ time, target, archive, verdict, seconds }) => [
      minute(time),
      text(target),
      text(archive ?? ''),
      verdict === 'ok' ? 'passed' : `<b>${verdict}</b>`,
      seconds > objectives.rto ? `<b>${duration(seconds)}</b>` : duration(seconds),
    ])
  return table(['Date', 'Target', 'Archive', 'Result', 'Took'], rows)
}

function controls({ controls: all, note }: EvidenceReport): string {
  if (all.length === 0) return ''
  const rows = all.map(({ control, asks, state, rests_on }) => [
    text(control),
    text(asks),
    rests_on.map(({ ground }) => ground).join(', '),
    word[state],
  ])
  const grounds = new Map(all.flatMap(({ rests_on }) => rests_on.map((line) => [line.ground, line])))
  const lines = [...grounds.values()].map(({ ground, state, says }) => [ground, text(cut(says)), word[state]])
  const small = note === null ? '' : `<p class="small">${text(note)}</p>`
  const head = `<h2>Controls</h2>${table(['Control', 'Asks for', 'Rests on', ''], rows, 'controls')}`
  return `${head}${table(['Ground', 'What it comes to now', ''], lines, 'controls')}${small}`
}

const word = { ok: 'ok', breach: '<b>BREACH</b>', unknown: '<b>not shown</b>' } as const

function table(titles: readonly string[], rows: readonly (readonly string[])[], name = ''): string {
  const head = titles.map((title) => `<th>${title}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')
  return `<table class="${name}"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
}

function list(items: readonly string[]): string {
  if (items.length === 0) return ''
  return `<ul>${items
    .slice(0, most)
    .map((item) => `<li>${item}</li>`)
    .join('')}</ul>${cutNote(items)}`
}

function cutNote(all: readonly unknown[]): string {
  return all.length <= most ? '' : `<p class="small">and ${all.length - most} more</p>`
}

function joined(lines: readonly string[]): string {
  const more = lines.length <= most ? '' : `; and ${lines.length - most} more`
  return lines.slice(0, most).map(cut).join('; ') + more
}

function cut(says: string): string {
  return says.length > 160 ? `${says.slice(0, 159)}…` : says
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const style = `
@page { size: A4; margin: 12mm 14mm }
* { box-sizing: border-box }
body { font: 9.5pt/1.3 system-ui, sans-serif; color: #111; max-width: 182mm; margin: 8mm auto; padding: 0 4mm }
h1 { font-size: 16pt; margin: 0 } h2 { font-size: 11pt; margin: 3.5mm 0 1mm } p { margin: 1mm 0 }
header p { color: #555 }
.verdict { font-weight: 600; padding: 2mm 3mm; border: 1px solid; border-left-width: 2mm; margin: 3mm 0 }
.ok { color: #14532d } .breach { color: #9b1c1c }
ul { margin: 1mm 0 2mm; padding-left: 5mm }
dl { display: grid; grid-template-columns: 28mm 1fr; gap: .6mm 3mm; margin: 2mm 0 }
dt { color: #555 } dd { margin: 0; overflow-wrap: anywhere }
table { width: 100%; border-collapse: collapse; font-size: 9pt }
th, td { text-align: left; vertical-align: top; padding: .6mm 2mm .6mm 0; border-bottom: .2mm solid #bbb; overflow-wrap: anywhere }
th { font-weight: 600; color: #555 } b { color: #9b1c1c }
.controls td { font-size: 8pt } .controls td:first-child { white-space: nowrap; font-weight: 600 }
.controls td:last-child { white-space: nowrap; width: 15mm } .controls + .controls { margin-top: 2mm }
.small, footer { font-size: 8pt; color: #555 } footer { margin-top: 3mm } code { overflow-wrap: anywhere }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 9pt } table { font-size: 8.5pt } }
`
