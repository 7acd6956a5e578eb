import type { StoredReader, Target } from '../targets/target.ts'
import type { Application, OpenKey } from './context.ts'

/** How a person names an archive: `latest`, an id or its first digits, a name, a path, or `-` for standard input. */
export interface ArchiveInput {
  readonly archive: string
  readonly application?: Application
  /** Folders to look in beside the targets: for a machine without a configuration, or a copy that lies elsewhere. */
  readonly from?: () => Promise<readonly Target[]>
  /** Only an archive of a state from before this moment: `latest` is the newest of them. Needs `keys`. */
  readonly before?: Date
  /** Take an archive that was named although it is not from before: a warning instead of ARCHIVE_LATER. */
  readonly allowLater?: boolean
  readonly keys?: () => Promise<readonly OpenKey[]>
}

/** A found archive, open for reading; whoever asked closes it. `target` is absent for a path or standard input. */
export interface FoundArchive extends AsyncDisposable {
  readonly reader: StoredReader
  readonly name: string
  /** Bytes of the archive as it is stored. */
  readonly size: number
  /** For an archive of another program: `reader` gives it as a sealed one that only this process can open. */
  readonly foreign?: { readonly format: string; readonly takenAt: Date }
  readonly target?: Target
  /** How reports name where it was found: the target's name, `file` or `stdin`. */
  readonly targetName: string
}

export function found(reader: StoredReader, name: string, targetName: string, target?: Target): FoundArchive {
  return {
    reader,
    name,
    size: reader.size,
    targetName,
    ...(target === undefined ? {} : { target }),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}
