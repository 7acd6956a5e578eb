import type { Facts } from '../manifest.ts'
import type { Places, ProfileFinding } from './examination.ts'

/** A secret that whoever broke in may know, by its presence: never its value. */
export interface ExposedSecret {
  readonly name: string
  /** The file or store that it is in. */
  readonly place: string
  /** How many there are, where they are rows. */
  readonly count?: number
  /** Who makes a new one, and where. */
  readonly rotate: string
  /** `auto`: Sealift puts a new value in place. */
  readonly how: 'auto' | 'manual'
}

/** Somebody whose credential must be renewed: an agent, a node, a user. */
export interface Identity {
  readonly id: string
  readonly active: boolean
  /** How it was enrolled. */
  readonly method: string | null
  /** The application holds its private key, so whoever had the database has it too. */
  readonly server_held: boolean
  readonly not_after: string | null
}

export interface AuditWindow {
  readonly from: string
  readonly to: string
  readonly rows: number
  /** Who did what, most active first; the rest is counted. */
  readonly activity: readonly {
    readonly agent: string
    readonly action: string
    readonly status: string
    readonly count: number
    readonly first: string
    readonly last: string
  }[]
  readonly activity_left_out: number
  /** Breaks and gaps of the chains, heads of backups that are not in them. Empty: nothing shows. */
  readonly findings: readonly ProfileFinding[]
  readonly heads_compared: number
}

/** What recovery after a breach needs to know of one application, and may do to it. Nothing shows a secret's value. */
export interface Response {
  /** What the operator must know before anything else, a sentence each. */
  readonly warnings: readonly string[]
  /** Every secret of a state. `places`: files where they lie, databases as copies. `keyFiles`: those of the archives. */
  inventory(places: Places, keyFiles: readonly string[]): Promise<readonly ExposedSecret[]>
  /** Gives the secrets that are used on this host alone new values. Files are replaced at once, mode and owner kept. */
  rotate(places: Places, random: (bytes: number) => Buffer): Promise<readonly string[]>
  identities(places: Places): Promise<readonly Identity[]>
  /**
   * Takes identities out of service in the database of a stopped application. Gives those that were active; an id that
   * is not there is refused before anything is written (USAGE). `places` is where the application lives.
   */
  deactivate(places: Places, ids: readonly string[]): Promise<readonly string[]>
  /** What the audit records of a state say of a window, against the facts of backups that lie elsewhere. */
  audit(
    places: Places,
    window: { readonly from: Date; readonly to: Date },
    backups: readonly { readonly name: string; readonly facts: Facts }[],
    signal: AbortSignal,
  ): Promise<AuditWindow>
  /** The rows of the window themselves, a JSON value each: for a file of the investigation. */
  auditRows(places: Places, window: { readonly from: Date; readonly to: Date }): Iterable<unknown>
}

/** What is to be said of a change that the operator acknowledges: an Org CA that was rotated. */
export interface Rotation {
  /** The value that the application has now. */
  readonly current: string | null
  readonly findings: readonly ProfileFinding[]
  /** Who must be enrolled again. */
  readonly identities: readonly Identity[]
  /** What is left to do, a sentence each. */
  readonly next: readonly string[]
}
