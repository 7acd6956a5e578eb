import type { Breach } from '../engine/breaches.ts'
import type { ControlLine, GroundState } from '../engine/control-lines.ts'
import type { EvidenceReport } from '../engine/report-evidence.ts'
import type { DrillBrief } from '../engine/standing.ts'
import { printable } from './printable.ts'
import { duration, minute, several } from './quantity.ts'
import type { View } from './renderer.ts'
import { fields, table } from './table.ts'
import { wrapped } from './wrap.ts'

type Style = View['style']

const targetColumns = [
  { title: 'TARGET', shrink: true },
  { title: 'OFF-HOST' },
  { title: 'ARCHIVES', align: 'right' },
  { title: 'NEWEST VERIFIED (UTC)' },
  { title: 'AGE', align: 'right' },
] as const

/** The evidence report for people, in 80 columns. */
export function reportText(result: EvidenceReport, { style }: View): string {
  const { app, profile, host, as_of, objectives, targets, drills, drift, evidence, note } = result
  const head = fields([
    ['application', `${printable(app)}, ${profile}`],
    ['host', printable(host)],
    ['as of', minute(as_of)],
    [
      'objectives',
      `RPO ${duration(objectives.rpo)}, RTO ${duration(objectives.rto)}, a drill every ${duration(objectives.drillEvery)}`,
    ],
    ['retention', printable(result.retention)],
    ['audit chains', chainText(result)],
    ['evidence log', `${several(evidence.records, 'record')}, head ${evidence.head.hash.slice(0, 16)}…`],
  ])
  const rows = targets.map(({ target, off_host, archives, newest_verified: held }) => [
    printable(target),
    off_host ? 'yes' : 'no',
    String(archives),
    held === null ? 'none' : minute(held.created_at),
    held === null ? '' : duration(held.age),
  ])
  const parts = [
    verdictText(result.breaches, style),
    `${head}\n${wrapped(`  versions      ${printable(versionsText(result))}`, { indent: 16 })}`,
    table(targetColumns, rows),
    drills.length === 0 ? 'No drill yet.' : `Drills\n${drills.map(drillLine).join('\n')}`,
    ...section('Drift noted by the last drill', drift),
    ...section('Notes in the evidence log', evidence.notes),
    ...controlsText(result.controls, style),
    ...(note === null ? [] : [wrapped(note)]),
  ]
  return parts.join('\n\n')
}

function verdictText(breaches: readonly Breach[], style: Style): string {
  if (breaches.length === 0) return style.good('All objectives are met.')
  const lines = breaches.map(({ breach, detail, fix }) =>
    wrapped(`  ${style.bad(breach)}  ${printable(detail)}: ${fix}`, { indent: 6 }),
  )
  return [style.bad(several(breaches.length, 'breach', 'breaches')), ...lines].join('\n')
}

/** What the audit chains came to, as a sentence. */
export function chainText({ chains }: EvidenceReport): string {
  const { state, as_of, findings } = chains
  if (state === 'none') return 'the profile knows none'
  if (state === 'unknown') return 'no archive was examined yet'
  return state === 'ok' ? `hold in ${printable(as_of ?? '')}` : `BROKEN: ${printable(findings.join('; '))}`
}

export function versionsText({ versions }: EvidenceReport): string {
  return Object.entries(versions)
    .flatMap(([name, value]) =>
      typeof value === 'string' ? [`${name.replaceAll('_', ' ')} ${brief(value)}`] : [],
    )
    .join(', ')
}

function brief(value: string): string {
  return value.length > 24 ? `${value.slice(0, 16)}…` : value
}

function drillLine({ time, target, verdict, seconds, archive }: DrillBrief): string {
  const what = archive === null ? '' : `  ${printable(archive)}`
  return `  ${minute(time)}  ${verdict.padEnd(9)}  ${duration(seconds).padStart(6)}  ${printable(target)}${what}`.slice(
    0,
    80,
  )
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return [[title, ...lines.map((line) => wrapped(`  ${printable(line)}`, { indent: 4 }))].join('\n')]
}

function controlsText(controls: readonly ControlLine[], style: Style): string[] {
  if (controls.length === 0) return []
  const words: Record<GroundState, string> = {
    ok: style.good('ok'),
    breach: style.bad('BREACH'),
    unknown: style.attention('not shown'),
  }
  const lines = controls.flatMap(({ control, asks, state, rests_on }) => [
    wrapped(`  ${printable(control)}: ${printable(asks)}: ${words[state]}`, { indent: 4 }),
    ...rests_on.map(({ ground, says }) => wrapped(`    ${ground}: ${printable(says)}`, { indent: 6 })),
  ])
  return [['Controls, and what each rests on', ...lines].join('\n')]
}
