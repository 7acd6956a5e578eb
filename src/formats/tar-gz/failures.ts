import { shownPath } from '../../archive/member-path.ts'
import { SealiftError } from '../../errors.ts'

/** The errors of reading one .tar.gz, all with its name. */
export interface TarGzFailures {
  readonly invalid: (reason: string, cause?: unknown) => SealiftError
  readonly cut: (cause?: unknown) => SealiftError
  readonly refused: (path: string, reason: string) => SealiftError
}

export function tarGzFailures(name: string | undefined): TarGzFailures {
  const named = name === undefined ? {} : { name }
  return {
    invalid: (reason, cause) => new SealiftError('TAR_GZ_INVALID', { ...named, reason }, cause),
    cut: (cause) => new SealiftError('TAR_GZ_CUT', named, cause),
    refused: (path, reason) => new SealiftError('MEMBER_REFUSED', { member: shownPath(path), reason }),
  }
}
