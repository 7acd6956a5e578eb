import { SealiftError } from '../errors.ts'
import type { World } from './world.ts'

/** Bytes of a backup in a terminal help nobody and can reprogram it: USAGE. */
export function refuseTerminal(world: World): void {
  if (world.stdout.isTTY !== true) return
  throw new SealiftError('USAGE', {
    reason: 'standard output is a terminal: send the data to a file (> FILE) or to another program (|)',
  })
}
