import type { ProfileFinding } from '../engine/report.ts'
import { printable } from './printable.ts'
import type { Style } from './style.ts'

/** One finding of a profile's examination, as a line: how much it weighs, its word, what it is. */
export function findingLine({ check, class: weight, detail }: ProfileFinding, style: Style): string {
  const word =
    weight === 'note' ? weight : weight === 'attention' ? style.attention(weight) : style.bad('fail')
  return `  ${word}  ${printable(check)}: ${printable(detail)}`
}
