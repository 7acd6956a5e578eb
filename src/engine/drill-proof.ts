import type { Facts } from '../manifest.ts'
import type { DriftFacts } from './drill-drift.ts'
import type { DrillOutcome } from './drill-result.ts'
import type { Proof } from './evidence.ts'

/** What of a drill goes into the evidence log. */
export function drillProof(outcome: Omit<DrillOutcome, 'evidence'>, facts: DriftFacts): Proof {
  const { target, archive, verdict, phases, seconds, rto, rpo, restored_bytes, checks, drift, error } =
    outcome
  const found = (wanted: string): Facts[] =>
    checks
      .filter((each) => each.verdict === wanted)
      .map(({ check, detail }) => ({ check, detail: detail.slice(0, longest) }))
  const details = {
    seconds,
    phases: { ...phases } as Facts,
    rto: { ...rto },
    rpo: rpo === null ? null : { ...rpo },
    restored_bytes,
    checks_ok: found('ok').length,
    attention: found('attention'),
    failed: found('fail'),
    drift: [...drift],
    facts,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message.slice(0, longest) } }),
  }
  const about = archive === null ? {} : { archive: archive.id, ...withoutId(archive) }
  return { kind: 'drill', subject: { target, ...about }, verdict, details }
}

/** A record is read by people: a sentence of this length says enough. */
const longest = 500

function withoutId({ name, created_at, size }: NonNullable<DrillOutcome['archive']>): Facts {
  return { name, created_at, size }
}
