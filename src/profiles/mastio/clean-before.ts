/** When the state in an archive is from. A foreign archive has no manifest: its rows tell. */
export type DatedArchive =
  | { readonly from: 'manifest'; readonly snapshotAt: Date }
  | {
      readonly from: 'name'
      readonly stamp: Date
      /** The latest audit row inside; `null` if there is none, absent as long as nobody has looked. */
      readonly newestRow?: Date | null
    }

/**
 * Tells whether an archive is from before a breach. The name of a foreign archive is not enough, because the enterprise
 * script takes its stamp before its snapshot: the newest audit row inside must be older too, so such an archive is
 * `unknown` until somebody has looked inside.
 */
export function standing(archive: DatedArchive, breach: Date): 'clean' | 'later' | 'unknown' {
  if (archive.from === 'manifest') return archive.snapshotAt < breach ? 'clean' : 'later'
  if (archive.stamp >= breach) return 'later'
  if (archive.newestRow === undefined) return 'unknown'
  return archive.newestRow === null || archive.newestRow < breach ? 'clean' : 'later'
}

/** The moment that archives are ordered by: newest first is what a restore wants. */
export function momentOfState(archive: DatedArchive): Date {
  return archive.from === 'manifest' ? archive.snapshotAt : archive.stamp
}
