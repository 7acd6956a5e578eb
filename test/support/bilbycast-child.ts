/**
 * A process of its own that writes or reads one large file, and tells on its last line what it needed.
 * Arguments: `write` FILE MEBIBYTES, or `read` FILE.
 */
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { openDump, writeDump } from '../../src/profiles/bilbycast/dump-file.ts'
import { isSealiftError } from '../../src/errors.ts'
import { NONCE, PASSPHRASE, SALT } from './bilbycast-files.ts'

const [what = '', path = '', size = '0'] = process.argv.slice(2)
let bytes = 0
let failure: string | undefined

async function* content(): AsyncGenerator<Buffer, void, undefined> {
  const piece = randomBytes(1 << 20)
  piece.write('PGDMP')
  for (let count = 0; count < Number(size); count++) {
    bytes += piece.length
    yield piece
  }
}

if (what === 'write') {
  const written = writeDump(content(), { salt: SALT, nonce: NONCE, passphrase: PASSPHRASE })
  await pipeline(written, createWriteStream(path))
} else {
  await using handle = await open(path)
  const file = {
    size: (await handle.stat()).size,
    read: async (offset: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
  }
  try {
    const opened = await openDump(file, { passphrase: PASSPHRASE })
    for await (const piece of opened.dump()) bytes += piece.length
  } catch (error) {
    failure = isSealiftError(error) ? error.code : String(error)
  }
}
process.stdout.write(`${JSON.stringify({ bytes, failure, peak: process.resourceUsage().maxRSS >> 10 })}\n`)
