import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'

/** Peak resident memory, in MiB, of a process that seals this many MiB and opens them again. */
function peakOf(size: number): number {
  const script = `
    import { seal, openStream } from '${join(import.meta.dirname, 'index.ts')}'
    import { RECIPIENT, SECRET, member, manifestOf } from '${join(import.meta.dirname, '../../test/support/sealed.ts')}'
    import { PassThrough } from 'node:stream'
    const pipe = new PassThrough()
    const piece = Buffer.alloc(1 << 20)
    for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE((at * 2654435761) >>> (at % 3 ? 20 : 0), at)
    async function* content() { for (let at = 0; at < ${size}; at++) yield piece }
    async function write() {
      await using sealer = await seal({ out: pipe, slots: [RECIPIENT], createdAt: new Date(0), writer: 'test' })
      await sealer.add(member('app/file', ${size} << 20), content())
      await sealer.finish(manifestOf(sealer.id))
    }
    async function read() {
      await using stream = await openStream(pipe, [SECRET])
      for await (const { content } of stream.members()) for await (const _ of content());
    }
    await Promise.all([write(), read()])
    console.log(process.resourceUsage().maxRSS >> 10)`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(status, 0, stderr.toString())
  return Number(stdout.toString())
}

describe('memory', () => {
  it('does not grow with the archive, sealing and opening at the same time', () => {
    const [small, large] = [peakOf(96), peakOf(384)]
    assert.ok(large < 256, `${large} MiB`)
    assert.ok(large < small + 64, `${small} MiB for 96 MiB, ${large} MiB for 384 MiB`)
  })
})
