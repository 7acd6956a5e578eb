import { SealiftError } from '../../errors.ts'

/** The errors of reading one gpg message, all with its name. */
export interface GpgFailures {
  /** Nothing that gpg would have written. */
  readonly foreign: (reason: string) => SealiftError
  readonly wrongPassphrase: () => SealiftError
  readonly changed: (reason: string, cause?: unknown) => SealiftError
  readonly cut: (at: number) => SealiftError
  /** Part of OpenPGP that is not read here; `what` names the packet or the algorithm. */
  readonly unsupported: (what: string) => SealiftError
  readonly notAuthenticated: () => SealiftError
  readonly noPassphrase: () => SealiftError
}

export function gpgFailures(name: string | undefined): GpgFailures {
  const named = name === undefined ? {} : { name }
  return {
    foreign: (reason) => new SealiftError('GPG_NOT_A_MESSAGE', { ...named, reason }),
    wrongPassphrase: () => new SealiftError('GPG_PASSPHRASE_WRONG', named),
    changed: (reason, cause) => new SealiftError('GPG_CHANGED', { ...named, reason }, cause),
    cut: (at) => new SealiftError('GPG_CUT', { ...named, at }),
    unsupported: (what) => new SealiftError('GPG_UNSUPPORTED', { ...named, what }),
    notAuthenticated: () => new SealiftError('GPG_NOT_AUTHENTICATED', named),
    noPassphrase: () => new SealiftError('GPG_NO_PASSPHRASE', named),
  }
}
