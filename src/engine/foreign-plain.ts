import { pipeline } from 'node:stream/promises'
import type { Writable } from 'node:stream'
import { openStream } from '../archive/index.ts'
import type { Format } from '../formats/format.ts'
import type { Secret } from '../secret.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Context } from './context.ts'
import { Meter } from './meter.ts'
import { sealPrivately } from './private-seal.ts'
import { rfc3339 } from './time.ts'

/**
 * Writes what is encrypted in a foreign archive, and none of it before all was authentic: what proves it stands at its
 * end. Until then the bytes lie sealed again, where nobody else can read them. Returns how many there were.
 */
export async function writePlain(
  ctx: Context,
  encrypted: { readonly reader: StoredReader; readonly name: string; readonly format: Format },
  passphrase: Secret,
  out: Writable,
): Promise<number> {
  const { reader, name, format } = encrypted
  const options = { name, signal: ctx.signal }
  const createdAt = ctx.now()
  const meter = new Meter(ctx, 'fetch', `reading ${name}`, reader.size)
  await using held = await sealPrivately(ctx, { name, createdAt }, async (sealer) => {
    const input = meter.count(reader.stream(ctx.signal) as AsyncIterable<Uint8Array>)
    const owner = { mode: 0o600, mtimeMs: 0, uid: 0, gid: 0 }
    await sealer.addParts({ path: 'content', ...owner }, format.decrypt(input, passphrase, options))
    const at = rfc3339(createdAt)
    const times = { started_at: at, finished_at: at }
    const about = { app: 'private', profile: 'private', host: ctx.host, ...times }
    const tool = { name: 'sealift', version: ctx.version }
    return { manifest: 1, archive_id: sealer.id, kind: 'backup', ...about, tool, sources: [], warnings: [] }
  })
  let bytes = 0
  await using stream = await openStream(held.reader.stream(ctx.signal), [held.key], options)
  async function* content(): AsyncGenerator<Buffer, void, undefined> {
    for await (const { member, content } of stream.members()) {
      if (!member.path.startsWith('content.')) continue
      bytes += member.size
      yield* content()
    }
  }
  await pipeline(content(), out, { signal: ctx.signal })
  return bytes
}
