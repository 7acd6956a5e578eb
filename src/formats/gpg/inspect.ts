import { ByteReader } from '../../archive/byte-reader.ts'
import type { Facts } from '../../manifest.ts'
import { gpgFailures } from './failures.ts'
import { readMessageStart } from './message-start.ts'
import { packetBody } from './packet-body.ts'
import type { ReadGpgOptions } from './read.ts'

/**
 * What the packets of a message say without a passphrase, as `gpg --list-packets` numbers it: `passphrases` with
 * `cipher`, `s2k`, `hash` and `count` each, and whether the data has a modification detection code. Errors as
 * `readGpg`, but those that need the passphrase.
 */
export async function inspectGpg(
  input: AsyncIterable<Uint8Array>,
  { signal, name }: ReadGpgOptions = {},
): Promise<Facts> {
  const failures = gpgFailures(name)
  await using message = new ByteReader(input, signal)
  const { slots, data } = await readMessageStart(message, failures)
  await using body = new ByteReader(packetBody(message, data, () => failures.cut(message.position)))
  const [version] = await body.read(1)
  const passphrases = slots.map(({ numbers, s2k }) => ({ ...numbers, count: s2k.count }))
  return { passphrases, mdc: version === 1 }
}
