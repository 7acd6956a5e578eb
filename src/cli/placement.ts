import type { Distance, Placement } from '../engine/report.ts'
import { printable } from './printable.ts'

/** The name of a target, with a word if it does not outlive the disk or the machine of the application. */
export function placed(target: string, placements: readonly Placement[] = []): string {
  const distance = placements.find((one) => one.target === target)?.distance
  return distance !== undefined && isNear(distance)
    ? `${printable(target)} (not off-host)`
    : printable(target)
}

/** What takes the disk or the machine of the application may take this, too. */
export function isNear(distance: Distance): boolean {
  return distance === 'same-device' || distance === 'this-host'
}
