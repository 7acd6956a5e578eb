import { ByteReader } from '../../archive/byte-reader.ts'
import type { Secret } from '../../secret.ts'
import { decrypted } from './encrypted-data.ts'
import { gpgFailures } from './failures.ts'
import { literalData } from './literal.ts'
import { readMessageStart } from './message-start.ts'
import { packetBody } from './packet-body.ts'
import { passphraseBytes } from './passphrase.ts'

export interface ReadGpgOptions {
  readonly signal?: AbortSignal | undefined
  /** What the input is called in errors. */
  readonly name?: string | undefined
}

/**
 * The plaintext of a message that `gpg --symmetric` wrote (RFC 4880, and the parts of RFC 9580 that continue it), as a
 * stream in bounded memory. **What it yields is authentic only once the iteration has ended**: the modification
 * detection code stands at the end, so nobody may commit to the data before that; any change makes the end throw.
 *
 * GPG_PASSPHRASE_WRONG comes before more than the first piece of the input was read and anything was yielded. GPG_CUT:
 * the input ends too early. GPG_CHANGED: the code differs, or the packets contradict themselves. GPG_NOT_A_MESSAGE,
 * GPG_NOT_AUTHENTICATED (no modification detection), GPG_NO_PASSPHRASE (only secret keys open it) and GPG_UNSUPPORTED
 * (another cipher, hash, compression or packet, by its name) for what is not read here.
 *
 * The passphrase is text, or the exact bytes. The input is closed in every case.
 */
export async function* readGpg(
  input: AsyncIterable<Uint8Array>,
  passphrase: Secret | Buffer,
  { signal, name }: ReadGpgOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const failures = gpgFailures(name)
  await using message = new ByteReader(input, signal)
  const { slots, data } = await readMessageStart(message, failures)
  await using body = new ByteReader(packetBody(message, data, () => failures.cut(message.position)))
  const opening = { slots, passphrase: passphraseBytes(passphrase), signal }
  yield* literalData(decrypted(body, opening, failures), failures)
  const end = message.position
  if ((await message.some(1)).length > 0)
    throw failures.changed(`something follows the message at byte ${end}`)
}
