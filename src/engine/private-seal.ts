import { generateKeypair, seal } from '../archive/index.ts'
import type { OpenKey, Sealer } from '../archive/index.ts'
import type { Manifest } from '../manifest.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Context } from './context.ts'
import { openSpool } from './spool.ts'

/** A sealed archive in a file without a name, for a key that lives in memory alone. Gone when it is disposed of. */
export interface PrivateArchive extends AsyncDisposable {
  readonly reader: StoredReader
  readonly key: OpenKey
}

/**
 * Seals what `fill` adds, where nobody else can read it: for what must be read twice, or must not be believed before
 * its end. `fill` returns the manifest of it all; whatever it throws, nothing is left.
 */
export async function sealPrivately(
  ctx: Context,
  { name, ...options }: { readonly name: string; readonly createdAt: Date; readonly id?: string },
  fill: (sealer: Sealer) => Promise<Manifest>,
): Promise<PrivateArchive> {
  const spool = await openSpool(ctx)
  try {
    const { recipient, secret } = generateKeypair(ctx.random)
    await using sealer = await seal({
      ...options,
      out: spool.stream,
      slots: [{ type: 'recipient', recipient }],
      writer: `sealift/${ctx.version}`,
      random: ctx.random,
      signal: ctx.signal,
    })
    await sealer.finish(await fill(sealer))
    return {
      reader: await spool.reader(name),
      key: { type: 'secret', secret },
      [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
    }
  } catch (error) {
    await spool[Symbol.asyncDispose]()
    throw error
  }
}
