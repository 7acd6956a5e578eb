import type { Format, FormatMember, FormatOptions } from './format.ts'
import type { Secret } from '../secret.ts'
import { inspectGpg } from './gpg/inspect.ts'
import { beginsAsGpg } from './gpg/message-start.ts'
import { readGpg } from './gpg/read.ts'
import { writeGpg } from './gpg/write.ts'
import { readTarGz } from './tar-gz/read.ts'
import { writeTarGz } from './tar-gz/write.ts'

/** `tar czf - … | gpg --symmetric`: the errors are those of `readGpg` and `readTarGz`. */
export const gpgTarGz: Format = {
  name: 'gpg',
  ending: '.tar.gz.gpg',
  recognises: beginsAsGpg,
  inspect: inspectGpg,
  read: readMembers,
  decrypt: readGpg,
  write: (entries, passphrase, { prefix, ...options }) =>
    writeGpg(writeTarGz(entries, { prefix, signal: options.signal }), passphrase, options),
}

/**
 * A changed byte breaks the gzip or a name long before the end of the message says that something was changed. So a
 * fault of the content counts only once the message was read to its end and is authentic.
 */
async function* readMembers(
  input: AsyncIterable<Uint8Array>,
  passphrase: Secret,
  options: FormatOptions & { readonly limit: number },
): AsyncGenerator<FormatMember, void, undefined> {
  const plain = readGpg(input, passphrase, options)
  try {
    yield* readTarGz(heldOpen(plain), options)
  } catch (error) {
    while ((await plain.next()).done !== true);
    throw error
  } finally {
    await plain.return()
  }
}

/** The same pieces; whoever stops early does not close where they come from. */
function heldOpen<Piece>(input: AsyncIterator<Piece, void, undefined>): AsyncIterable<Piece> {
  return { [Symbol.asyncIterator]: () => ({ next: () => input.next() }) }
}
