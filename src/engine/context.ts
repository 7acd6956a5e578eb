import type { Readable } from 'node:stream'
import type { OpenKey, SlotKey } from '../archive/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Format } from '../formats/format.ts'
import type { Control } from '../profiles/controls.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Source, SourceDriver } from '../sources/source.ts'
import type { StoredReader, StoredWriter, Target } from '../targets/target.ts'
import type { Event } from './events.ts'
import type { Objectives } from './objectives.ts'
import type { Programs } from './programs.ts'

/**
 * All that a verb may use of the world. Time, randomness and the machine are handed in, so that a run can be repeated
 * in a test to the byte and a fault can be put anywhere.
 */
export interface Context {
  readonly now: () => Date
  readonly random: (bytes: number) => Buffer
  /** Ends the run: every verb stops at the next await, undoes what it began and reports CANCELLED. */
  readonly signal: AbortSignal
  readonly emit: (event: Event) => void
  /** Is told what a run failed with, as it was thrown: for the trace of a fault. */
  readonly onFailure?: (error: unknown) => void
  readonly host: string
  readonly pid: number
  /** Whether files may be given to other owners (root). */
  readonly privileged: boolean
  readonly version: string
  /** Private folder of this installation: `locks/`, `journal/`, `scratch/`, `catalog.db`. Made 0700 when missing. */
  readonly stateDir: string
  readonly catalog: Catalog
  /** The kinds of source this program knows, for a restore without a configuration. */
  readonly sourceDrivers: Readonly<Record<string, SourceDriver>>
  readonly profiles: Readonly<Record<string, Profile>>
  /** The kinds of archive of other programs that this program reads and writes. */
  readonly formats: readonly Format[]
  readonly programs: Programs
  /** Opens an archive file by its path, whatever its name is. */
  readonly openPath: (path: string) => Promise<StoredReader>
  /** Writes a new version of an archive file given by its path; the old one stays until `commit()`. */
  readonly replacePath: (
    path: string,
    options: { readonly expectedSize: number; readonly signal: AbortSignal },
  ) => Promise<StoredWriter>
  /** Standard input, for the archive `-`. */
  readonly stdin: () => Readable
}

/** An application as configured: what is protected, where archives go, how long they stay. */
export interface Application {
  readonly app: string
  readonly profile: Profile
  readonly sources: readonly Source[]
  /** The first that serves is written to; the others get a copy. At least one. */
  readonly targets: readonly Target[]
  /** Names of targets that nothing is written to while they lie on a disk of the application. */
  readonly requireOffHost?: ReadonlySet<string>
  readonly compression: 'zstd' | 'none'
  readonly retention: Retention | undefined
  /** What recovery is measured by; `defaultObjectives` where nothing else is said. */
  readonly objectives?: Objectives
  /** The compliance table, in the place of the profile's. */
  readonly controls?: readonly Control[]
  /** Where the standing is written after each run; absolute. Else a file in the state folder. */
  readonly statusFile?: string
}

/** How many archives to keep of each kind; `0` or absent keeps none for that reason. */
export interface Retention {
  readonly keep_last?: number
  readonly keep_daily?: number
  readonly keep_weekly?: number
  readonly keep_monthly?: number
  readonly keep_yearly?: number
  /** Keep what is not older than so many seconds. */
  readonly keep_within?: number
  /** This many of the newest verified stay in any case. */
  readonly keep_newest_verified?: number
  /** Of what the rules above keep, at most this many. */
  readonly keep_at_most?: number
  /** Retention runs at the end of every backup that was read back and is good. */
  readonly after_backup?: boolean
}

export type { OpenKey, SlotKey }
