import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAll, sealed } from '../../test/support/sealed.ts'
import { isSealiftError } from '../errors.ts'
import { inspectHeader, unseal } from './index.ts'
import { inPieces, MemoryFile, SECRET } from '../../test/support/sealed.ts'

const archive = await sealed({ 'app/one': 'some content', 'app/two': Buffer.alloc(70_000, 'row ') })
const { headerSize } = await inspectHeader(new MemoryFile(archive))
const footerAt = archive.length - 24

async function codeOf(bytes: Buffer): Promise<string> {
  try {
    await readAll(bytes)
    return 'success'
  } catch (error) {
    if (isSealiftError(error)) return error.code
    throw error
  }
}

/** The codes that may be given for a change at this byte. */
function codesAt(at: number): string[] {
  if (at < 8) return ['NOT_AN_ARCHIVE']
  if (at < 12) return ['HEADER_INVALID', 'ARCHIVE_CUT']
  if (at < headerSize - 32) return ['HEADER_INVALID', 'HEADER_CHANGED', 'NO_KEY_FITS', 'ARCHIVE_TOO_NEW']
  if (at < headerSize) return ['HEADER_CHANGED']
  // A length that now leads beyond the end of the file cannot be told from a cut.
  return at < footerAt ? ['CHUNK_CHANGED', 'ARCHIVE_CUT'] : ['FOOTER_CHANGED']
}

describe('a damaged archive', () => {
  it('is refused for every byte that is another, with the code of the place', async () => {
    assert.equal(await codeOf(archive), 'success')
    for (let at = 0; at < archive.length; at++) {
      const changed = Buffer.from(archive)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const code = await codeOf(changed)
      assert.ok(codesAt(at).includes(code), `byte ${at}: ${code}`)
    }
  })

  it('is refused for every length that is shorter, naming where it ends', async () => {
    for (let length = 0; length < archive.length; length++) {
      await assert.rejects(readAll(archive.subarray(0, length)), {
        code: 'ARCHIVE_CUT',
        data: { at: length },
      })
    }
  })

  it('is refused for what stands behind its end', async () => {
    for (const tail of [Buffer.alloc(1), Buffer.alloc(100_000), archive]) {
      await assert.rejects(readAll(Buffer.concat([archive, tail])), {
        code: 'TRAILING_DATA',
        data: { at: archive.length },
      })
    }
  })

  it('names the chunk and the byte where it begins', async () => {
    const changed = Buffer.from(archive)
    const second = headerSize + 5 + archive.readUInt32LE(headerSize + 1)
    changed[second + 10] = (changed[second + 10] ?? 0) ^ 1
    await assert.rejects(readAll(changed), { code: 'CHUNK_CHANGED', data: { chunk: 1, at: second } })
  })

  it('releases what stands before the damage and nothing behind it', async () => {
    const changed = Buffer.from(archive)
    const second = headerSize + 5 + archive.readUInt32LE(headerSize + 1)
    changed[second + 10] = (changed[second + 10] ?? 0) ^ 1
    const released: Buffer[] = []
    await assert.rejects(async () => {
      for await (const piece of unseal(inPieces(changed, 999), [SECRET])) released.push(piece)
    })
    const whole = await Array.fromAsync(unseal(inPieces(archive, 999), [SECRET]))
    assert.deepEqual(released, whole.slice(0, 1))
  })
})
