import type { Readable, Writable } from 'node:stream'
import type { Application, Context } from '../engine/context.ts'
import type { Event } from '../engine/events.ts'
import type { Signal } from './exit.ts'

/** Standard output or standard error, with what the renderers must know of it. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** A terminal to ask on, apart from the standard streams, so that these stay free for data. Whoever opened it closes it. */
export interface Terminal {
  readonly input: Readable & { setRawMode(raw: boolean): unknown }
  write(text: string): void
  close(): void
}

/** How the configuration says that archives are sealed and opened. */
export interface Seal {
  readonly passphraseFile?: string
  readonly recipients: readonly string[]
  /** Folders of the application and of its archives: no passphrase file that seals lies there. */
  readonly apartFrom?: readonly string[]
}

/** A configuration, read and put together. */
export interface Configured {
  readonly path: string
  readonly stateDir: string
  readonly application: Application
  readonly seal: Seal
}

/** Who is told what a run does. */
export interface Watch {
  emit(event: Event): void
  /** What made it fail, as it was thrown. */
  onFailure(error: unknown): void
}

/** All that the command line may use of the process it runs in; `main.ts` makes it, a test makes its own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable
  readonly stdout: Output
  readonly stderr: Output
  readonly now: () => Date
  /** The effective user: whose key files are accepted. */
  readonly uid: number
  readonly version: string
  /** `process.versions.node`. */
  readonly nodeVersion: string
  /** Ends the run; `stopped()` says what did it. */
  readonly signal: AbortSignal
  stop(signal: Signal): void
  stopped(): Signal | undefined
  /** Undefined where the process has no controlling terminal. */
  openTerminal(): Terminal | undefined
  /** What the verbs work with. Disposed when the run has ended. */
  context(watch: Watch, stateDir: string | undefined): Promise<Context & AsyncDisposable>
  /**
   * The configuration at this path or, where none is named, at the usual places; undefined if there is none at these.
   * CONFIG_NOT_FOUND for one that was named and is not there, CONFIG_INVALID.
   */
  configure(path: string | undefined): Promise<Configured | undefined>
  /** The JSON Schema of `sealift.yaml`. */
  configSchema(): Promise<Record<string, unknown>>
  /** Any folder as a place where archives are. */
  openFolder(path: string): Promise<Application['targets'][number]>
}
