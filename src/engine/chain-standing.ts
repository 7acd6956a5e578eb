import type { ArchiveRecord } from '../catalog/catalog.ts'
import type { EvidenceRecord } from '../catalog/evidence-record.ts'
import type { FactValue } from '../manifest.ts'
import type { ChainStanding } from './breaches.ts'
import type { Application, Context } from './context.ts'

/** The newest archive whose examination the catalogue knows, wherever it lies. */
export function newestExamined(ctx: Context, { app, targets }: Application): ArchiveRecord | undefined {
  const known = targets.flatMap(({ name }) => ctx.catalog.archivesAt(app, name))
  return known
    .filter(({ facts }) => facts !== undefined)
    .toSorted((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0]
}

/**
 * Whether the application's audit chains held: in the newest examined archive, or, where none is known here, in the last
 * drill that looked.
 */
export function chainStanding(
  { profile }: Application,
  newest: ArchiveRecord | undefined,
  records: readonly EvidenceRecord[],
): ChainStanding {
  const chains = profile.assurance?.chains ?? []
  if (chains.length === 0) return { state: 'none', as_of: null, findings: [] }
  const listed = newest?.facts?.['findings']
  if (newest !== undefined && Array.isArray(listed)) {
    const bad = (listed as readonly FactValue[]).filter((one) => textIn(one, 'class') !== 'note')
    return judged(chains, bad, newest.name)
  }
  const drill = records.findLast(
    ({ kind, details }) => kind === 'drill' && Array.isArray(details['attention']),
  )
  if (drill === undefined) return { state: 'unknown', as_of: null, findings: [] }
  const bad = ['attention', 'failed'].flatMap((key) => {
    const list = drill.details[key]
    return Array.isArray(list) ? (list as readonly FactValue[]) : []
  })
  const { name } = drill.subject
  return judged(chains, bad, typeof name === 'string' ? name : `the drill of ${drill.time}`)
}

function judged(chains: readonly string[], bad: readonly FactValue[], as_of: string): ChainStanding {
  const findings = bad
    .filter((one) => chains.includes(textIn(one, 'check')))
    .map((one) => `${textIn(one, 'check')}: ${textIn(one, 'detail')}`)
  return { state: findings.length === 0 ? 'ok' : 'broken', as_of, findings }
}

function textIn(value: FactValue, key: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ''
  const found = (value as Readonly<Record<string, FactValue>>)[key]
  return typeof found === 'string' ? found : ''
}
