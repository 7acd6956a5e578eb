import type { Facts, Manifest, ManifestSource } from '../manifest.ts'
import type { Finding, SnapshotDescription } from '../sources/source.ts'
import type { Arranged, Arrangement } from './arrangement.ts'
import type { Assurance } from './controls.ts'
import type { Examination, Examined, Places } from './examination.ts'
import type { ForeignArchives } from './foreign.ts'
import type { LiveChecks, PlainBackup, PlainFolder, Running, Stack } from './live.ts'
import type { Proposal } from './proposal.ts'
import type { Response, Rotation } from './response.ts'

/**
 * All that Sealift knows of one application beyond its sources. A profile describes; it runs no verb. Every part is
 * optional but the name: `generic` has only what is true of any application made of SQLite databases and files.
 */
export interface Profile {
  readonly name: string
  readonly title: string
  /** The configuration for an application that lies in a folder; `undefined` where none of this kind does. */
  propose?(folder: string): Promise<Proposal | undefined>
  /** Facts of the application beyond those of its sources, by source name: taken before the archive is sealed. */
  facts?(
    described: ReadonlyMap<string, SnapshotDescription>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, Facts>>>
  /** Reasons not to begin: each throws GUARD_REFUSED or returns. */
  readonly guards?: readonly Guard[]
  /** Looks at the application's data itself: before it is sealed, before it goes live, in a drill. */
  examine?(examined: Examined, signal: AbortSignal): Promise<Examination>
  /**
   * How a file is changed on its way into the archive (a license is redacted), `undefined` for one that is archived as
   * it is. Only for small files: the whole content is in memory. `path` is relative to the source.
   */
  rewrite?(source: string, path: string): ((content: Buffer) => Buffer) | undefined
  /** Checks on staged data, before it goes live. A `fail` stops the restore with nothing changed. */
  readonly checks?: readonly Check[]
  /** The last look before a restore goes live: fits staged data to this host, and tells what the restore means. */
  arrange?(arrangement: Arrangement, signal: AbortSignal): Promise<Arranged>
  /**
   * The fact whose every value keeps its last archive: retention never removes the last archive of an authority whose
   * certificates are still about.
   */
  readonly lineage?: string
  /**
   * The newest moment that the data itself tells of (the last row of a log), `undefined` where it tells of none: for
   * archives that do not prove when they were taken. `places` has the databases alone.
   */
  newestMoment?(places: Places, signal: AbortSignal): Promise<Date | undefined>
  /** Archives of this application that other programs write and read. */
  readonly foreign?: ForeignArchives
  /** What an evidence report says of it: its compliance table, its audit chains, what counts as drift. */
  readonly assurance?: Assurance
  /** Whether a running application is the continuation of a backup. A wrong answer is a finding, never an error. */
  live?(running: Running, signal: AbortSignal): Promise<LiveChecks>
  /** Why a change is refused before it begins; undefined for one that is not. */
  vet?(command: readonly string[]): string | undefined
  /** How the application is stopped and started; undefined where nothing on this host says so. */
  stack?(live: Places): Promise<Stack | undefined>
  /** The folder that `guard --folder` leaves before a change. `stamp` is the moment, as names have it. */
  plainFolder?(live: Places, command: readonly string[], stamp: string): Promise<PlainFolder | undefined>
  /** Backups that the application's own scripts left beside it, newest first. */
  plainBackups?(live: Places): Promise<readonly PlainBackup[]>
  /** What recovery after a breach needs. */
  readonly response?: Response
  /** What is to be said of a change that the operator acknowledges. `places` as for `live`. */
  rotation?(places: Places, signal: AbortSignal): Promise<Rotation>
  /** The application's own folder, as the archive recorded it: what `restore --into` moves. */
  folder?(recorded: {
    readonly sources: readonly Pick<ManifestSource, 'name' | 'place'>[]
  }): string | undefined
}

export interface Guard {
  readonly name: string
  readonly before: 'backup' | 'restore'
  /** `places`: where each source's data lies, or will. */
  run(places: Places, signal: AbortSignal, surroundings: Surroundings): Promise<void>
}

/** What a guard may ask of the machine beyond the places. */
export interface Surroundings {
  /** Runs a program: its output, whose end says that it succeeded. PROCESS_NOT_FOUND, PROCESS_FAILED. */
  readonly output: (command: readonly string[], signal: AbortSignal) => AsyncIterable<Uint8Array>
}

export interface Check {
  readonly name: string
  run(staged: Places, manifest: Manifest, signal: AbortSignal): Promise<Finding[]>
}
