import type { ReportedError, RestoreResult } from './report.ts'

/** The phases of a drill, in their order. `find`: the list of the target; `fetch`: the whole archive, sealed. */
export type DrillPhase = 'find' | 'fetch' | 'open' | 'restore' | 'check'

export type DrillVerdict = 'ok' | 'attention' | 'fail'

/** One archive of one target, brought back and looked at. Times are RFC 3339, durations seconds, sizes bytes. */
export interface DrillOutcome {
  readonly target: string
  /** What was drilled; null where none was found. */
  readonly archive: {
    readonly name: string
    readonly id: string
    readonly created_at: string
    readonly size: number
  } | null
  readonly verdict: DrillVerdict
  /** The phases that were begun. */
  readonly phases: Partial<Readonly<Record<DrillPhase, number>>>
  /** Their sum: what is held against the RTO. */
  readonly seconds: number
  readonly rto: { readonly objective: number; readonly met: boolean }
  /** The age of the target's newest archive; null where another one was asked for. */
  readonly rpo: { readonly objective: number; readonly age: number; readonly met: boolean } | null
  /** Bytes that were restored. */
  readonly restored_bytes: number
  readonly checks: RestoreResult['checks']
  /** What changed since somebody last looked; none of it is a failure. */
  readonly drift: readonly string[]
  /** Why it failed. */
  readonly error?: ReportedError
  /** The record in the evidence log; null where it could not be written, or no application is known. */
  readonly evidence: { readonly seq: number; readonly hash: string } | null
}

export interface DrillResult {
  readonly drills: readonly DrillOutcome[]
  /** The worst of them. */
  readonly verdict: DrillVerdict
}
