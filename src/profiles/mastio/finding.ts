import type { FindingClass, ProfileFinding } from '../examination.ts'

export { asFinding } from '../examination.ts'
export type { FindingClass } from '../examination.ts'
export type MastioFinding = ProfileFinding

export function finding(weight: FindingClass, check: string, detail: string): MastioFinding {
  return { check, class: weight, detail }
}

/** The heaviest class among findings, `undefined` if there is none. */
export function heaviest(findings: readonly MastioFinding[]): FindingClass | undefined {
  const order: readonly FindingClass[] = ['hard', 'fail', 'attention', 'note']
  return order.find((weight) => findings.some((one) => one.class === weight))
}
