import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ByteReader } from '../../archive/byte-reader.ts'
import { inPieces } from '../../../test/support/sealed.ts'
import { packetBody } from './packet-body.ts'
import { bodyParts, packetInParts, wholePacket } from './packet-writer.ts'
import { readPacketHeader } from './packet.ts'

const part = 65_536
const data = randomBytes(2 * part + 1)
const sizes = [0, 1, 191, 192, 8383, 8384, part - 1, part, part + 1, 2 * part - 1, 2 * part, 2 * part + 1]

async function bodyOf(bytes: Buffer): Promise<Buffer> {
  const input = new ByteReader(inPieces(bytes, 5003))
  const header = await readPacketHeader(input)
  assert.ok(typeof header === 'object')
  assert.equal(header.tag, 11)
  const short = () => new Error('short')
  const body = Buffer.concat(await Array.fromAsync(packetBody(input, header.length, short)))
  assert.equal(await readPacketHeader(input), 'end')
  return body
}

/** A part is used again once the next is asked for. */
async function* copied(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of bodyParts(body)) yield Buffer.from(piece)
}

test('a packet in parts has the body it was given, at every edge', async () => {
  for (const size of sizes) {
    const body = data.subarray(0, size)
    for (const step of [999, 3 * part]) {
      const written = Buffer.concat(await Array.fromAsync(packetInParts(11, copied(inPieces(body, step)))))
      assert.ok((await bodyOf(written)).equals(body), `${size} in pieces of ${step}`)
    }
  }
})

test('a packet of known length has the body it was given, at every edge', async () => {
  for (const size of sizes) {
    const body = data.subarray(0, size)
    assert.ok((await bodyOf(wholePacket(11, body))).equals(body), String(size))
  }
})
