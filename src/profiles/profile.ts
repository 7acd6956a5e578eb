import type { Facts, Manifest } from '../manifest.ts'
import type { Finding, SnapshotDescription } from '../sources/source.ts'

/** A place where restored data lies before it goes live: source name → path of its staged file or folder. */
export type Staged = ReadonlyMap<string, string>

/**
 * All that Sealift knows of one application beyond its sources. A profile describes; it runs no verb. Every part is
 * optional but the name: `generic` has only what is true of any application made of SQLite databases and files.
 */
export interface Profile {
  readonly name: string
  readonly title: string
  /** Facts of the application beyond those of its sources, by source name: taken before the archive is sealed. */
  facts?(
    described: ReadonlyMap<string, SnapshotDescription>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, Facts>>>
  /** Reasons not to begin: each throws GUARD_REFUSED or returns. */
  readonly guards?: readonly Guard[]
  /** Checks on staged data, before it goes live. A `fail` stops the restore with nothing changed. */
  readonly checks?: readonly Check[]
}

export interface Guard {
  readonly name: string
  readonly before: 'backup' | 'restore'
  run(signal: AbortSignal): Promise<void>
}

export interface Check {
  readonly name: string
  run(staged: Staged, manifest: Manifest, signal: AbortSignal): Promise<Finding[]>
}
