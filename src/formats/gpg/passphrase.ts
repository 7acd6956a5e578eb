import type { Secret } from '../../secret.ts'

/** The bytes that are hashed: those of the text in UTF-8, or exactly the ones given. */
export const passphraseBytes = (passphrase: Secret | Buffer): Buffer =>
  Buffer.isBuffer(passphrase) ? passphrase : Buffer.from(passphrase.reveal())
