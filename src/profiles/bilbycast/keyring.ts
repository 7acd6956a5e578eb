import { keyringOf, type Keyring } from '../../rows/keyring.ts'
import type { Secret } from '../../secret.ts'
import { legacyCodec, v1Codec } from './blob.ts'
import { deriveKeys } from './key-derivation.ts'

/** Both shapes of a secret under one master key: both are read, only `v1:` is written. */
export function bilbycastKeyring(masterKey: Secret, random: (size: number) => Buffer): Keyring {
  const keys = deriveKeys(masterKey)
  return keyringOf(keys.check, [v1Codec(keys, random), legacyCodec(keys)])
}
