import type { EvidenceRecord } from '../catalog/evidence-record.ts'
import type { Control, Ground } from '../profiles/controls.ts'
import type { Breach, BreachName, Proven } from './breaches.ts'
import { lasting } from './breaches.ts'

/** `unknown`: nothing speaks against it, and nothing proves it. */
export type GroundState = 'ok' | 'breach' | 'unknown'

/** What one ground comes to now, with the sentence that says why. */
export interface GroundLine {
  readonly ground: Ground
  readonly state: GroundState
  readonly says: string
}

/** A line of the compliance table: as good as the weakest thing that it rests on. */
export interface ControlLine {
  readonly control: string
  readonly asks: string
  readonly state: GroundState
  readonly rests_on: readonly GroundLine[]
}

/** What the grounds are judged by, beside what is proven. */
export interface Known extends Proven {
  readonly breaches: readonly Breach[]
  readonly records: readonly EvidenceRecord[]
  readonly retention: string
}

/** The breaches that speak against a ground. */
const against: Readonly<Partial<Record<Ground, readonly BreachName[]>>> = {
  backups: ['backup-stale'],
  'off-host': ['target-unverified', 'copy-stale', 'no-off-host-copy'],
  drills: ['drill-missing', 'drill-old', 'drill-failed', 'drill-slow'],
  drift: ['drill-missing', 'drill-old'],
  chains: ['chain-broken'],
  evidence: ['evidence-broken'],
}

export function controlLines(controls: readonly Control[], known: Known): ControlLine[] {
  return controls.map(({ control, asks, rests_on }) => {
    const lines = rests_on.map((ground) => groundLine(ground, known))
    const states = lines.map(({ state }) => state)
    const weakest = (['breach', 'unknown'] as const).find((state) => states.includes(state))
    return { control, asks, state: weakest ?? 'ok', rests_on: lines }
  })
}

function groundLine(ground: Ground, known: Known): GroundLine {
  const spoken = known.breaches.filter(({ breach }) => against[ground]?.includes(breach))
  if (spoken.length > 0)
    return { ground, state: 'breach', says: spoken.map(({ detail }) => detail).join('; ') }
  const says = saying(ground, known)
  return says === undefined
    ? { ground, state: 'unknown', says: 'nothing is known' }
    : { ground, state: 'ok', says }
}

/** The sentence of a ground that nothing speaks against; undefined where nothing proves it either. */
function saying(
  ground: Ground,
  { targets, objectives, drills, chains, records, retention }: Known,
): string | undefined {
  const [drill] = drills
  switch (ground) {
    case 'encryption':
      return targets.some(({ archives }) => archives > 0)
        ? 'every archive is sealed before it is written'
        : undefined
    case 'backups': {
      const ages = targets.flatMap(({ newest_verified }) => newest_verified?.age ?? [])
      return ages.length === 0
        ? undefined
        : `newest verified backup ${lasting(Math.min(...ages))} old, RPO ${lasting(objectives.rpo)}`
    }
    case 'off-host': {
      const away = targets.filter(({ off_host }) => off_host)
      if (away.length === 0) return undefined
      const each = away.map(
        ({ target, newest_verified }) => `${target} ${lasting(newest_verified?.age ?? 0)}`,
      )
      return `verified copies off this host: ${each.join(', ')} old`
    }
    case 'drills':
      return drill === undefined
        ? undefined
        : `drill of ${drill.time.slice(0, 10)} took ${lasting(drill.seconds)}, RTO ${lasting(objectives.rto)}`
    case 'drift': {
      const notes = records.findLast(({ kind, verdict }) => kind === 'drill' && verdict !== 'fail')?.details[
        'drift'
      ]
      if (!Array.isArray(notes)) return undefined
      return notes.length === 0 ? 'the last drill found none' : `the last drill noted ${notes.length}`
    }
    case 'chains':
      return chains.state === 'ok' ? `they hold in ${chains.as_of ?? 'the newest archive'}` : undefined
    case 'retention':
      return retention
    case 'evidence':
      return records.length === 0
        ? undefined
        : `${records.length} ${records.length === 1 ? 'record' : 'records'}, chained and whole`
  }
  return undefined
}
