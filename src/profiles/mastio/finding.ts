import type { Finding } from '../../sources/source.ts'

/**
 * How much a finding weighs. `hard`: no archive is written from such data, and a restore of it refuses whatever is
 * accepted. `fail`: written, but never counted as good; a restore refuses unless it is accepted by name. `attention`:
 * written and good, and somebody must look. `note` changes no verdict.
 */
export type FindingClass = 'hard' | 'fail' | 'attention' | 'note'

/** `check` is a stable word, by which a finding is accepted. `detail` never holds a secret. */
export interface MastioFinding {
  readonly check: string
  readonly class: FindingClass
  readonly detail: string
}

export function finding(weight: FindingClass, check: string, detail: string): MastioFinding {
  return { check, class: weight, detail }
}

/** The verdict that a finding counts for in a report: `hard` is a `fail` too, a note is `ok`. */
export function asFinding({ check, class: weight, detail }: MastioFinding): Finding {
  const verdict = weight === 'attention' ? 'attention' : weight === 'note' ? 'ok' : 'fail'
  return { check, verdict, detail }
}

/** The heaviest class among findings, `undefined` if there is none. */
export function heaviest(findings: readonly MastioFinding[]): FindingClass | undefined {
  const order: readonly FindingClass[] = ['hard', 'fail', 'attention', 'note']
  return order.find((weight) => findings.some((one) => one.class === weight))
}
