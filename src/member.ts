/** The kinds of tar member that an archive may hold (archive-v1 §4, §5). */
export type MemberType = 'file' | 'directory' | 'symlink' | 'hardlink'

/**
 * One member of the payload, as it stands in the tar. `path` is relative, uses `/` and has passed `checkMemberPath`;
 * `link` is the target of a symlink (any text) or the earlier member that a hard link names; `size` is 0 unless the
 * type is `file`; `mode` holds the permission bits (0 to 0o7777); `mtimeMs` is milliseconds since 1970 and may carry
 * a fraction down to a microsecond.
 */
export interface Member {
  readonly path: string
  readonly type: MemberType
  readonly link?: string
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
  readonly uid: number
  readonly gid: number
}

/** One member line of the index (archive-v1 §4): what `list` and `extract` need, without reading the payload. */
export interface IndexEntry {
  readonly path: string
  readonly type: MemberType
  readonly link?: string
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
  /** SHA-256 of the content, lower-case hex; files only. */
  readonly sha256?: string
  /** Offset of the first content byte in the tar stream. */
  readonly offset: number
}
