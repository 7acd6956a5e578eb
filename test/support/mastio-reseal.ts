import { createReadStream, createWriteStream } from 'node:fs'
import { openStream, seal } from '../../src/archive/index.ts'
import type { Member } from '../../src/member.ts'
import { Secret } from '../../src/secret.ts'

export interface Reseal {
  /** Sources that are left out, with all their members. */
  readonly without?: readonly string[]
  /** Members that are put in front of the first one. */
  readonly first?: readonly { readonly member: Member; readonly content?: Buffer }[]
}

/** Writes an archive again with other content: what somebody could make who knows the passphrase. */
export async function reseal(from: string, to: string, passphrase: string, change: Reseal): Promise<void> {
  const { without = [], first = [] } = change
  const key = { type: 'passphrase', passphrase: new Secret(passphrase) } as const
  await using stream = await openStream(createReadStream(from), [key], { name: from })
  const out = createWriteStream(to)
  await using sealer = await seal({ out, slots: [key], createdAt: new Date(), writer: 'sealift/0.0.0' })
  for (const { member, content } of first) await sealer.add(member, content === undefined ? [] : [content])
  for await (const { member, content } of stream.members()) {
    // The archive writes its last two members itself.
    if (!member.path.includes('/') && /^[A-Z]/.test(member.path)) continue
    if (without.includes(member.path.split('/')[0] ?? '')) continue
    const whole = Buffer.concat(await Array.fromAsync(content(), (piece) => Buffer.from(piece)))
    await sealer.add(member, member.type === 'file' ? [whole] : undefined)
  }
  const { manifest } = stream
  const sources = manifest.sources.filter(({ name }) => !without.includes(name))
  await sealer.finish({ ...manifest, archive_id: sealer.id, sources })
}
