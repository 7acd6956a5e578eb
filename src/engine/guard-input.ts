import type { SlotKey } from '../archive/index.ts'
import type { AskInput } from './check.ts'
import type { Application } from './context.ts'

export interface GuardInput {
  readonly application: Application
  readonly slots: () => Promise<readonly SlotKey[]>
  /** A program and its arguments. */
  readonly command: readonly string[]
  /** Where the application is asked after the change; absent: only its database is looked at, if the profile can. */
  readonly ask?: AskInput
  /** A line for the shell that prints what the application has logged since its start. */
  readonly logsCommand?: string
  /** On a failure: stop the application, restore, start it again. */
  readonly autoRollback?: boolean
  /** Also leave the backup as a plain folder beside the application, and keep so many of these. */
  readonly folder?: { readonly keep: number }
  /** Findings that do not stop the rollback. */
  readonly accept?: readonly string[]
  /** The program's output goes to standard error: standard output carries data. */
  readonly quietOutput?: boolean
  /** The configuration's file, for the way back. */
  readonly config: string
}
