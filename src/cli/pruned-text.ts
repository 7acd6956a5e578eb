import type { ArchiveSummary, Judged, PruneResult } from '../engine/report.ts'
import { printable } from './printable.ts'
import { minute, several, size } from './quantity.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

const columns = [{}, { align: 'right' }, {}, {}, { shrink: true }] as const

/** What retention removed, and what it could not remove. */
export function prunedText({ removed, failed, dry_run }: PruneResult, style: Style): string {
  const freed = removed.reduce((sum, { archive }) => sum + archive.size, 0)
  const verb = dry_run ? 'Would remove' : 'Removed'
  const head = `${verb} ${several(removed.length, 'archive')}${freed > 0 ? `, ${size(freed)}` : ''}`
  const parts = [removed.length === 0 ? `${head}.` : judgedText(style.attention(head), removed)]
  const lines = failed.map(({ target, name, error }) => {
    const what = printable(name === undefined ? target : `${name} (${target})`)
    return `${style.bad('not removed:')} ${what}: ${printable(error.message)}`
  })
  return [...parts, ...(lines.length === 0 ? [] : [lines.join('\n')])].join('\n\n')
}

/** A heading, and archives with the reasons why they stay or go. */
export function judgedText(head: string, judged: readonly Judged[]): string {
  const rows = judged.map(({ archive, reasons }) => [...row(archive), printable(reasons.join(', '))])
  return `${head}\n${table(columns, rows)}`
}

function row(archive: ArchiveSummary): string[] {
  return [
    `  ${minute(archive.created_at)}`,
    size(archive.size),
    archive.id.slice(0, 8),
    printable(archive.target),
  ]
}
