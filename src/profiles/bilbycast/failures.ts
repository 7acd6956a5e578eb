import { SealiftError } from '../../errors.ts'

export type Format = 'BCBKv2' | 'BCBKMGR1'

/** The errors of reading or writing one file of the application's own formats, all with its name. */
export interface FileFailures {
  readonly foreign: () => SealiftError
  readonly cut: (at: number) => SealiftError
  readonly header: (field: string, reason: string) => SealiftError
  readonly notOpened: () => SealiftError
  readonly headerChanged: () => SealiftError
  readonly content: (reason: string) => SealiftError
  readonly tooLarge: () => SealiftError
}

export function fileFailures(format: Format, name: string | undefined): FileFailures {
  const named = { format, ...(name === undefined ? {} : { name }) }
  return {
    foreign: () => new SealiftError('FOREIGN_NOT_RECOGNISED', named),
    cut: (at) => new SealiftError('FOREIGN_CUT', { ...named, at }),
    header: (field, reason) => new SealiftError('FOREIGN_HEADER_REFUSED', { ...named, field, reason }),
    notOpened: () => new SealiftError('FOREIGN_NOT_OPENED', named),
    headerChanged: () => new SealiftError('FOREIGN_HEADER_CHANGED', named),
    content: (reason) => new SealiftError('FOREIGN_CONTENT_REFUSED', { ...named, reason }),
    tooLarge: () => new SealiftError('FOREIGN_TOO_LARGE', { ...named, limit: GCM_LIMIT }),
  }
}

/** The longest plaintext of one GCM message: 2^36 − 32 bytes (NIST SP 800-38D §5.2.1.1). */
export const GCM_LIMIT = 2 ** 36 - 32
