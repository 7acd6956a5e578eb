import type { Report } from '../engine/report.ts'
import type { ErrorKind } from '../errors.ts'

/** Exit codes by outcome (sysexits.h where it has a word for it). docs/cli.md states them; a test compares. */
export const exitCodes = {
  ok: 0,
  attention: 1,
  usage: 64,
  integrity: 65,
  'not-found': 66,
  unavailable: 69,
  bug: 70,
  conflict: 73,
  denied: 77,
} as const satisfies Record<ErrorKind | 'ok' | 'attention', number>

/** Exit codes of a run that was stopped: 128 and the signal's number, as shells count. */
export const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const

export type Signal = keyof typeof signalCodes

/**
 * The exit code of a run. `attention`: it ended well and found something that wants a look. A signal that came too
 * late to stop the run does not change its code.
 */
export function exitOf(report: Report<unknown>, attention: boolean, stopped: Signal | undefined): number {
  const { error } = report
  if (error !== undefined) {
    return error.code === 'CANCELLED' && stopped !== undefined ? signalCodes[stopped] : exitCodes[error.kind]
  }
  return report.ok && !attention ? exitCodes.ok : exitCodes.attention
}
