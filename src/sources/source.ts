import type { Facts, ManifestSource, Warning } from '../manifest.ts'
import type { IndexEntry, MemberType } from '../member.ts'

/** Where a source's data lives on this machine, and where a restore puts it: an absolute path. */
export interface Place {
  readonly path: string
  readonly type: 'file' | 'directory'
}

/** What a source is given to work with. It keeps none of it after the call. */
export interface SourceContext {
  readonly signal: AbortSignal
  readonly now: () => Date
  /** A private 0700 folder of this run, on a disk that may hold plaintext for a moment. The engine removes it. */
  readonly scratch: string
  /** Live database files (and their sidecars) that other sources snapshot: a `files` source leaves them out. */
  readonly claimed: ReadonlySet<string>
  /** A database's copy keeps its name (`Snapshot.copy`) until its members are read: it is examined first. */
  readonly named?: boolean
}

/**
 * One member that a snapshot contributes; `path` is relative to the source (`''` is never used). A `file` has
 * `content`. `size` is absent where the length is not known when the stream begins: it is then archived in parts.
 * `content` is read once and yields exactly `size` bytes, or throws. A yielded buffer belongs to the source: its bytes
 * stand until the next one is asked for, so whoever keeps them longer copies them.
 */
export interface SourceMember {
  readonly path: string
  readonly type: MemberType
  /** The symlink's target as it stands, or the source-relative path of the earlier member that a hard link names. */
  readonly link?: string
  readonly size?: number
  readonly mode: number
  readonly mtimeMs: number
  readonly uid: number
  readonly gid: number
  readonly content?: () => AsyncIterable<Uint8Array>
}

/** A consistent view of a source. Disposing it releases everything it holds, also after a failure. */
export interface Snapshot extends AsyncDisposable {
  readonly takenAt: Date
  /** Where a database's copy lies, with `named`; gone as soon as `members()` is asked for its first member. */
  readonly copy?: string
  /** The folder itself that a directory source stands for: how the archive's member `<source>/` looks. */
  readonly root?: Pick<SourceMember, 'mode' | 'mtimeMs' | 'uid' | 'gid'>
  /** The members in tar order: a folder before what is in it, a file before the hard links to it. Iterated once. */
  members(): AsyncIterable<SourceMember>
  /** Complete once `members()` has ended: facts, versions, row counts, warnings. */
  describe(): SnapshotDescription
}

export interface SnapshotDescription {
  readonly facts: Facts
  readonly versions: Readonly<Record<string, string>>
  readonly rows?: Readonly<Record<string, number>>
  readonly warnings: readonly Warning[]
}

/** How one sampled member of an archive compares with the live source. */
export interface SpotCheck {
  readonly path: string
  readonly state: 'same' | 'changed' | 'missing'
  readonly detail?: string
}

/** A source as configured for one application: where data comes from. */
export interface Source {
  readonly name: string
  readonly kind: string
  readonly place: Place
  /** Files that this source alone may open: `SourceContext.claimed` of the others. Absolute paths. */
  claims(): readonly string[]
  /** About how many bytes a snapshot will have, for progress and the free-space check; `claimed` files do not count. */
  estimate(signal: AbortSignal, claimed?: ReadonlySet<string>): Promise<number>
  snapshot(context: SourceContext): Promise<Snapshot>
  /**
   * Compares members of an archive with what is live now (`verify --source`). Paths, also those of the answer, are
   * those of the archive: `<recorded.name>/…`.
   */
  spotCheck(
    sample: readonly IndexEntry[],
    recorded: ManifestSource,
    context: SourceContext,
  ): Promise<SpotCheck[]>
}

/** What a check on restored data found. */
export interface Finding {
  readonly check: string
  /** A `note` is good to know and weighs nothing. */
  readonly verdict: 'ok' | 'note' | 'attention' | 'fail'
  readonly detail: string
}

/**
 * One kind of source. `Options` is what stands in sealift.yaml beside `name` and `kind`. The driver also serves a
 * restore on a machine that has no configuration: then only the manifest is known.
 */
export interface SourceDriver<Options = unknown> {
  readonly kind: string
  open(name: string, options: Options): Source
  /** Checks restored data at `path` (not yet live) against what the manifest says of it. Opens nothing that is live. */
  checkRestored(path: string, recorded: ManifestSource, signal: AbortSignal): Promise<Finding[]>
  /**
   * Copies a live database to `copy`, a new file in a private folder, as a snapshot does: to compare, never to archive.
   * Absent for sources of plain files. Errors as for `snapshot`.
   */
  copy?(path: string, copy: string, context: Pick<SourceContext, 'signal' | 'now'>): Promise<void>
  /** Sidecars of a restored file that must not survive beside it (`-wal`, `-shm`, `-journal`): absolute paths. */
  staleSidecars(place: Place): readonly string[]
}
