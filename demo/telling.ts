import type { Proof } from './proof.ts'
import type { Shell } from './shell.ts'

/** What the demo is told with. */
export interface Telling {
  /** Absolute; the shell's commands run in it. */
  readonly folder: string
  readonly shell: Shell
  readonly proof: Proof
  readonly signal: AbortSignal
  /** A heading, and what is about to be seen. */
  readonly chapter: (title: string, text: string) => void
}

/** What is known of the application before the disaster. */
export interface Before {
  /** Checksum and mode of each file beside the database. */
  readonly fingerprints: Readonly<Record<string, string>>
  /** The last note known to be committed when the backup began. */
  readonly noteAtStart: number
  /** The last note committed before the disaster. */
  readonly noteAtEnd: number
  /** The archive's path, relative to the folder. */
  readonly archive: string
}
