import type { Facts } from '../manifest.ts'
import type { Member } from '../member.ts'
import type { Places } from './examination.ts'

/** Archives of an application that other programs write and read: what they are called, and what lies where in them. */
export interface ForeignArchives {
  /** The format that they have: `gpg`. */
  readonly format: string
  /** What a file's name says; `undefined` for one that no archive of this application has: it is never touched. */
  named(name: string): ForeignName | undefined
  /** Begins to read one. */
  read(): ForeignReading
  /** The layouts that can be written, by name. */
  readonly layouts: Readonly<Record<string, ForeignLayout>>
  /** The layout that an application at these places has unless told otherwise. */
  usualLayout(places: Places, signal: AbortSignal): Promise<string>
}

export interface ForeignName {
  /** The moment in the name. It may lie before the data was copied (`Profile.newestMoment`). */
  readonly takenAt: Date
}

/**
 * One foreign archive on its way in. It is asked for each member in turn and, once all was read and is authentic, for
 * what it was. Nothing that it says counts before.
 */
export interface ForeignReading {
  /** Where a member belongs, `undefined` for a folder that has no place of its own. MEMBER_REFUSED for any other. */
  place(member: Member): ForeignPlacement | undefined
  /** FOREIGN_REFUSED: the archive is not complete, MEMBER_REFUSED: one of its members is not as it should be. */
  finish(seen: ForeignSeen): ForeignContents
}

export interface ForeignPlacement {
  /** The member's path in a sealed archive, `<source>/…`; absent for what belongs to the archive and not to its data. */
  readonly path?: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** A small text whose whole content `finish` is given. */
  readonly whole?: boolean
}

/** What was read of a foreign archive, by the members' own paths. */
export interface ForeignSeen {
  /** SHA-256 of each file, lower-case hex. */
  readonly sums: ReadonlyMap<string, string>
  /** The texts that were asked for. */
  readonly texts: ReadonlyMap<string, Buffer>
}

export interface ForeignContents {
  readonly layout: string
  /** What it says itself of when and where it was made. */
  readonly takenAt?: Date
  readonly host?: string
  readonly sources: readonly ForeignSource[]
  /** Where its sources lie in an application's own folder. */
  places(folder: string): Places
}

/** A source that a foreign archive has members of. */
export interface ForeignSource {
  readonly name: string
  readonly kind: string
  readonly type: 'file' | 'directory'
  /** The source's own folder, or the one around its file, where the archive has no member for it. */
  readonly folder?: { readonly mode: number; readonly uid: number; readonly gid: number }
}

/** How an archive is written that another program is to read. */
export interface ForeignLayout {
  fileName(takenAt: Date): string
  readonly prefix: '' | './'
  /** Sources without which nobody could restore it. */
  readonly needs: readonly string[]
  /** Where a member of a source stands in it, `''` being the source's own folder; `undefined` where it has no place. */
  pathOf(source: string, path: string): string | undefined
  /** The members that tell of all the others. They are written last. */
  papers(written: ForeignWritten): readonly { readonly path: string; readonly content: Buffer }[]
}

export interface ForeignWritten {
  readonly takenAt: Date
  readonly host: string
  readonly places: Places
  /** Those of the profile's examination. */
  readonly facts: Facts
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[]
}
