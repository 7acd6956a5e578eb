import type { ErrorKind } from '../errors.ts'
import type { Warning } from '../manifest.ts'
import type { ProfileFinding, Verdict } from '../profiles/examination.ts'
import type { Finding } from '../sources/source.ts'
import type { Lap } from './stopwatch.ts'
import type { Look } from '../profiles/live.ts'
import type { AuditWindow, ExposedSecret, Identity } from '../profiles/response.ts'

/**
 * Where a target lies, seen from the application. `other-host`: another machine has it. `other-device`: another disk of
 * this machine, or one that is carried away. `same-device`: what takes the application's disk takes it, too. `this-host`:
 * a server that runs here; where it puts things cannot be seen.
 */
export type Distance = 'other-host' | 'other-device' | 'same-device' | 'this-host'

export interface Placement {
  readonly target: string
  readonly distance: Distance
  /** In words, for people. */
  readonly detail: string
}

/** How a failure stands in a report: the error as data. */
export interface ReportedError {
  readonly code: string
  readonly kind: ErrorKind
  readonly message: string
  readonly hint?: string
  readonly data: unknown
}

/**
 * What every verb returns. A run that failed has the same shape with `ok: false` and `error`; `result` is there when
 * the verb came far enough to have one (a verify that found differences, a backup of which one copy failed).
 */
export interface Report<Result> {
  readonly verb: string
  readonly run: string
  readonly ok: boolean
  readonly started_at: string
  readonly finished_at: string
  readonly seconds: number
  readonly warnings: readonly Warning[]
  readonly result?: Result
  readonly error?: ReportedError
}

/** One archive as reports name it. Sizes are bytes; times are RFC 3339 in UTC. */
export interface ArchiveSummary {
  readonly name: string
  readonly target: string
  readonly id: string
  readonly created_at: string
  readonly size: number
  /** The format of an archive that is not Sealift's own: `gpg`. */
  readonly format?: string
  /** When every tag and checksum of it was last read back, or null. */
  readonly verified_at: string | null
}

export interface BackupResult {
  readonly archive: ArchiveSummary
  readonly payload_bytes: number
  readonly members: number
  readonly sources: readonly {
    readonly name: string
    readonly kind: string
    readonly members: number
    readonly bytes: number
    readonly rows?: number
  }[]
  /**
   * Every other target, in the order of the configuration: also one that was to be the first and failed. `compared`: the
   * copy was read back and has the same bytes; `verified`: they are those that were verified.
   */
  readonly copies: readonly {
    readonly target: string
    readonly ok: boolean
    readonly state?: 'compared' | 'verified'
    readonly error?: ReportedError
  }[]
  /** Where each target lies, seen from the application. */
  readonly placements: readonly Placement[]
  /** What the profile's examination came to; absent where the profile examines nothing. */
  readonly verdict?: Verdict
  readonly findings?: readonly ProfileFinding[]
  /** What retention did at the end; absent where it did not run. */
  readonly pruned?: PruneResult
  /** `written`: it is durable at the target; `verified`: every tag and checksum was read back as well. */
  readonly state: 'written' | 'verified'
}

export interface ListResult {
  readonly archives: readonly ArchiveSummary[]
  /** Files that look like archives and could not be read as one. */
  readonly unreadable: readonly {
    readonly name: string
    readonly target: string
    readonly error: ReportedError
  }[]
  /** Where each target lies, seen from the application; absent where a folder was listed by itself. */
  readonly placements?: readonly Placement[]
  /** Targets that did not answer: what they hold is not in the list. */
  readonly unavailable: readonly { readonly target: string; readonly error: ReportedError }[]
}

export interface VerifyResult {
  readonly archive: ArchiveSummary
  readonly members: number
  readonly payload_bytes: number
  /** Only with `source`: how sampled members compare with what is live. */
  readonly live?: readonly {
    readonly source: string
    readonly path: string
    readonly state: 'same' | 'changed' | 'missing'
    readonly detail?: string
  }[]
}

export interface RestoreResult {
  readonly archive: ArchiveSummary
  /** Whether it went to the application's own places, and not below `--to`. */
  readonly in_place: boolean
  readonly restored: readonly {
    readonly source: string
    readonly path: string
    readonly members: number
    readonly bytes: number
  }[]
  /** Where the old state lies now; empty when nothing was there. */
  readonly set_aside: readonly string[]
  readonly checks: readonly Finding[]
  /** What keeps the application from being started as it is restored. */
  readonly blocked: readonly ProfileFinding[]
  /** What the restore undoes or loses, a sentence each. */
  readonly undone: readonly string[]
  /** The parts of the run and how long each took. */
  readonly steps: readonly Lap[]
}

export interface PruneResult {
  readonly kept: readonly Judged[]
  readonly removed: readonly Judged[]
  /** Archives that could not be removed, and, without a `name`, targets where retention could not run at all. */
  readonly failed: readonly {
    readonly target: string
    readonly name?: string
    readonly error: ReportedError
  }[]
  readonly dry_run: boolean
}

/** An archive and why it stays or goes, in words. */
export interface Judged {
  readonly archive: ArchiveSummary
  readonly reasons: readonly string[]
}

export type { Identity, ProfileFinding, Verdict }

export interface CheckResult {
  readonly url?: string
  /** The archive whose facts were compared with. */
  readonly archive: { readonly id: string; readonly name: string; readonly created_at: string }
  /** `archive`: it was opened and authenticated; `catalogue`: what this installation recorded of it. */
  readonly facts_from: 'archive' | 'catalogue'
  /** What was looked at, and what was not and proves nothing. */
  readonly looks: readonly Look[]
  readonly findings: readonly ProfileFinding[]
  readonly verdict: Verdict
}

export interface GuardResult {
  /** The backup before the change. */
  readonly backup: BackupResult
  /** The plain folder that was left, too. */
  readonly folder?: string
  readonly command: {
    readonly words: readonly string[]
    /** Both null: it could not be started, or the run was stopped. */
    readonly code: number | null
    readonly signal: string | null
    readonly seconds: number
  }
  /** The running application after the change; absent where it was not looked at, or could not be. */
  readonly checks?: CheckResult
  /** The command succeeded and nothing that was looked at speaks against it. */
  readonly good: boolean
  /** Lines for a shell that bring back what was before. */
  readonly way_back: readonly string[]
  readonly rolled_back?: {
    readonly ok: boolean
    readonly stopped: boolean
    readonly restore?: RestoreResult
    readonly started: boolean
  }
}

export interface AcknowledgeResult {
  readonly value: string
  readonly at: string
  readonly reason: string
  readonly findings: readonly ProfileFinding[]
  /** Who must be enrolled again. */
  readonly identities: readonly Identity[]
  /** What the change left to do, a sentence each. */
  readonly next: readonly string[]
}

/** `left`: it was not asked for. */
export interface BreachStep {
  readonly step: string
  readonly state: 'done' | 'failed' | 'left'
  readonly detail?: string
  readonly error?: ReportedError
}

export interface RecoverResult {
  readonly breach_at: string
  /** What comes before everything else, a sentence each. */
  readonly guidance: readonly string[]
  /** The last archive of a state from before the breach. */
  readonly archive: {
    readonly id: string
    readonly name: string
    readonly target: string
    readonly created_at: string
  }
  /** The moment of its state. */
  readonly state_of: string
  /** Archives from after the breach: not to be used. */
  readonly later: readonly { readonly id: string; readonly name: string; readonly created_at: string }[]
  readonly restore?: RestoreResult
  /** Names of secrets that have new values. */
  readonly rotated: readonly string[]
  readonly deactivated: readonly string[]
  /** Every secret to count as known, by presence. */
  readonly secrets: readonly ExposedSecret[]
  readonly identities: readonly Identity[]
  /** Absent where there was no compromised state to look at. */
  readonly audit?: AuditWindow
  readonly warnings: readonly string[]
  readonly steps: readonly BreachStep[]
}

/** A plain folder that the application's own scripts left. */
export interface PlainBackupSummary {
  readonly id: string
  readonly path: string
  readonly what: string
  readonly taken_at: string | null
  readonly sources: readonly string[]
}

export interface RollbackResult {
  readonly backups: readonly PlainBackupSummary[]
  /** What such folders are worth. */
  readonly note: string
  /** The one that was gone back to. */
  readonly chosen?: PlainBackupSummary
  readonly restore?: RestoreResult
  readonly started?: boolean
}
