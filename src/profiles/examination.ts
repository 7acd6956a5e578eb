import type { Facts, Manifest } from '../manifest.ts'
import type { Finding } from '../sources/source.ts'

/** Data of an application by source name: the path of each file or folder. */
export type Places = ReadonlyMap<string, string>

/**
 * How much a finding weighs. `hard`: no archive is written from such data, and a restore of it refuses whatever is
 * accepted. `fail`: written, but never counted as good. `attention`: written and good, and somebody must look. A restore
 * refuses `fail` and `attention` unless they are accepted by name. `note` changes no verdict.
 */
export type FindingClass = 'hard' | 'fail' | 'attention' | 'note'

/** `check` is a stable word, by which a finding is accepted. `detail` never holds a secret. */
export interface ProfileFinding {
  readonly check: string
  readonly class: FindingClass
  readonly detail: string
}

/** What all findings together come to. */
export type Verdict = 'ok' | 'attention' | 'fail'

/** Data of an application that is to be examined. Nothing of it is changed. */
export interface Examined {
  /**
   * Where each source's data lies. A database is always a copy of its own that no other process has open. Before a
   * backup (`stage` is `backup`) files are those of the running application, and may change while they are read. A restore of a part
   * has only that part's places, the main source's among them.
   */
  readonly places: Places
  readonly stage: 'backup' | 'restore'
  /** At a backup: where the sources lie live, the databases too. For looking at names; no database is opened. */
  readonly live?: Places
  /** Whether `rewrite` is at work: false where the operator keeps what it would redact. */
  readonly redacted: boolean
  /** When the database was copied. */
  readonly takenAt: Date
  /** The archive's own, where there is one. */
  readonly manifest?: Manifest
  /** At a backup: the newest earlier backup of the application, as the catalogue knows it. */
  readonly predecessor?: Predecessor
}

/** An earlier backup of the same application. */
export interface Predecessor {
  readonly facts: Facts
  /** A restore was recorded since then. */
  readonly restoredSince: boolean
  /** Values of changed facts that the operator acknowledged (`sealift acknowledge`). */
  readonly acknowledged: readonly string[]
}

export interface Examination {
  /** The source that the facts stand at in the manifest: the application's main one. */
  readonly source: string
  readonly facts: Facts
  readonly findings: readonly ProfileFinding[]
}

export function verdictOf(findings: readonly ProfileFinding[]): Verdict {
  if (findings.some((one) => one.class === 'hard' || one.class === 'fail')) return 'fail'
  return findings.some((one) => one.class === 'attention') ? 'attention' : 'ok'
}

/** A finding as reports show it beside the checks of sources: `hard` is a `fail` too. */
export function asFinding({ check, class: weight, detail }: ProfileFinding): Finding {
  return { check, verdict: weight === 'hard' ? 'fail' : weight, detail }
}
