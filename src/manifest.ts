/** A named value that is taken at backup and compared at restore or in a drill. Never a secret. */
export type FactValue =
  string | number | boolean | null | readonly FactValue[] | { readonly [name: string]: FactValue }
export type Facts = Readonly<Record<string, FactValue>>

/** Something that the reader of a report must know, and that did not stop the run. */
export interface Warning {
  readonly source?: string
  readonly path?: string
  /** A stable word: `file-changed`, `file-vanished`, `socket-skipped`, … */
  readonly code: string
  readonly message: string
}

/** What one source contributed (archive-v1 §6). */
export interface ManifestSource {
  readonly name: string
  readonly kind: string
  /** Where the data came from and where a restore puts it unless told otherwise: an absolute path. */
  readonly place?: {
    readonly path: string
    readonly type: 'file' | 'directory'
    /** The folder around a file, which a restore to an empty machine makes again: mode as an octal string. */
    readonly folder?: { readonly mode: string; readonly uid: number; readonly gid: number }
  }
  readonly snapshot_at: string
  readonly versions: Readonly<Record<string, string>>
  /** Row counts per table, counted in the snapshot itself. */
  readonly rows?: Readonly<Record<string, number>>
  readonly facts: Facts
  readonly members: number
  readonly bytes: number
}

/** `MANIFEST.json`, the second to last member (archive-v1 §6). */
export interface Manifest {
  readonly manifest: 1
  readonly archive_id: string
  readonly kind: 'backup' | 'export'
  readonly app: string
  readonly profile: string
  readonly host: string
  readonly started_at: string
  readonly finished_at: string
  readonly tool: { readonly name: string; readonly version: string }
  readonly sources: readonly ManifestSource[]
  readonly warnings: readonly Warning[]
}
