import type { Facts } from '../manifest.ts'
import type { Places, ProfileFinding } from './examination.ts'

/** How long to wait for an application, and by which clock. */
export interface Patience {
  readonly seconds: number
  readonly now: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Where a running application is asked. */
export interface Address {
  readonly url: URL
  /** The one certificate that is trusted, PEM; absent: the one that the facts name. */
  readonly ca?: string
  readonly patience: Patience
}

/** An application that runs, and what is known of it. Nothing of it is changed. */
export interface Running {
  /** Those of the backup that it must be the continuation of; of all sources together. */
  readonly facts: Facts
  readonly address?: Address
  /** Where each source lies, of those on this host. No database of it may be opened. */
  readonly live: Places
  /** The same with each database as a copy of its own, made when it is asked for: after the application is ready. */
  readonly copies: () => Promise<Places>
  /** What the application has logged since its start. Read once. */
  readonly log?: AsyncIterable<Uint8Array | string>
}

/** One thing that says something of a running application. */
export interface Look {
  readonly what: string
  /** What was not looked at proves nothing: `detail` says why it was not. */
  readonly done: boolean
  readonly detail: string
}

export interface LiveChecks {
  readonly findings: readonly ProfileFinding[]
  readonly looks: readonly Look[]
}

/** How an application is stopped and started: commands, each with its arguments, run in `folder`. */
export interface Stack {
  readonly folder: string
  readonly stop: readonly string[]
  readonly start: readonly string[]
}

/** A backup that the application's own scripts left as a plain folder: cleartext, on the same disk. */
export interface PlainBackup {
  /** The name of its folder. */
  readonly id: string
  readonly path: string
  /** Why it was made, in one sentence. */
  readonly what: string
  readonly taken_at: string | null
  /** Where the data of each source lies in it. */
  readonly places: Places
}

/** A folder to leave before a change, in the form that the application's own scripts use. */
export interface PlainFolder {
  /** Where such folders lie. */
  readonly parent: string
  readonly name: string
  /** What Sealift's own folders are called: only these are ever removed again. */
  readonly own: RegExp
  /** Where each source goes in it: source name → path. */
  readonly layout: ReadonlyMap<string, string>
  /** Sources of one file that are taken from where they lie: an archive has them redacted. */
  readonly fromLive: readonly string[]
  /** What goes along, scripts: path in it → path. */
  readonly also: ReadonlyMap<string, string>
  readonly about: Readonly<Record<string, string | null>>
}
