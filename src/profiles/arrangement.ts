import type { Manifest } from '../manifest.ts'
import type { Places, ProfileFinding } from './examination.ts'

/** What an operator says of the host that an application comes back to. */
export interface Settings {
  /** The address that it has from now on: `--public-url`. */
  readonly publicUrl?: URL
  /** Which environment file counts where the live one differs from the archive's: `--env`. */
  readonly env?: 'live' | 'archive'
}

/** A restore whose data is staged, verified and examined, and not live yet. */
export interface Arrangement {
  /** Staged data: contents, modes and owners may be changed in place. */
  readonly staged: Places
  /** Where it goes live. A source that is not restored is not in it. */
  readonly live: Places
  /**
   * What lies at those places now, of what is there: files where they lie, a database as a copy of its own. Nothing of
   * it may be changed.
   */
  readonly standing: Places
  readonly manifest: Manifest
  readonly settings: Settings
  /** Whether owners may be given (root). */
  readonly privileged: boolean
  readonly now: Date
}

/** Mode and owner; the owner is given only where that is allowed. */
export interface Attributes {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface Arranged {
  /** A `hard` or `fail` finding stops the restore unless it is accepted by name, as one of `examine` does. */
  readonly findings: readonly ProfileFinding[]
  /**
   * Sources (of one file) whose live file stays as it is: source name → the name beside it that the archive's file gets.
   */
  readonly beside: ReadonlyMap<string, string>
  /** Second files that were written beside a staged one, and go live beside it: source name → path of the file. */
  readonly also?: ReadonlyMap<string, string>
  /** What the folder around a source of one file is given, where it is made and where it is there: by source name. */
  readonly around?: ReadonlyMap<string, Attributes>
  /** What keeps the application from being started as it is now restored; empty: ready. */
  readonly blocked: readonly ProfileFinding[]
  /** What the restore undoes or loses (revocations, newer agents, audit rows), a sentence each. Never a secret. */
  readonly undone: readonly string[]
}
