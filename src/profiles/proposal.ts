import type { ProfileFinding } from './examination.ts'

/** What a new configuration says of an application that lies in a folder. */
export interface Proposal {
  readonly app: string
  /** What was recognised, a sentence each: they stand at the head of the file. */
  readonly about: readonly string[]
  readonly sources: readonly ProposedSource[]
  /** The folder for archives. */
  readonly target: string
  readonly passphraseFile: string
  /** As `retention` of the configuration has it. */
  readonly retention: Readonly<Record<string, number | string | boolean>>
  /** What no backup of it holds. `what` is a path or a few words; `loud` where the application is not whole without it. */
  readonly leftOut: readonly { readonly what: string; readonly why: string; readonly loud: boolean }[]
  readonly findings: readonly ProfileFinding[]
}

/** A source as it would be configured; `path` is absolute. */
export interface ProposedSource {
  readonly name: string
  readonly kind: 'sqlite' | 'files'
  readonly path: string
  readonly exclude?: readonly string[]
  readonly why: string
}
