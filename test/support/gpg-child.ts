import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { isSealiftError } from '../../src/errors.ts'
import { readGpg } from '../../src/formats/gpg/read.ts'
import { writeGpg } from '../../src/formats/gpg/write.ts'
import { Secret } from '../../src/secret.ts'

/**
 * A program of its own, so that its memory can be measured: `write FILE MIB PASSPHRASE` writes that much plaintext,
 * `read FILE PASSPHRASE` reads one. Prints one line of JSON.
 */
const [verb, file = '', ...rest] = process.argv.slice(2)
const hash = createHash('sha256')
let plain = 0
let taken = 0
let failure: string | undefined

async function* plaintext(mebibytes: number): AsyncGenerator<Buffer> {
  const random = randomBytes(1 << 20)
  for (let made = 0; made < mebibytes; made++) {
    random.writeUInt32BE(made)
    hash.update(random)
    plain += random.length
    yield random
  }
}

async function* counted(): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(file)) {
    taken += (piece as Buffer).length
    yield piece as Buffer
  }
}

if (verb === 'write') {
  const [mebibytes, passphrase = ''] = rest
  const options = { random: randomBytes, mtime: new Date() }
  await pipeline(
    writeGpg(plaintext(Number(mebibytes)), new Secret(passphrase), options),
    createWriteStream(file),
  )
} else {
  try {
    for await (const piece of readGpg(counted(), new Secret(rest[0] ?? ''))) {
      hash.update(piece)
      plain += piece.length
    }
  } catch (error) {
    failure = isSealiftError(error) ? error.code : String(error)
  }
}
const peak = process.resourceUsage().maxRSS / 1024
process.stdout.write(JSON.stringify({ plain, taken, failure, sha256: hash.digest('hex'), peak }))
