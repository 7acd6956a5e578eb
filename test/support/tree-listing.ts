import { createHash } from 'node:crypto'
import type { Warning } from '../../src/manifest.ts'
import type { Snapshot, Source } from '../../src/sources/source.ts'
import { scratchRun } from '../suites/source.ts'

/** What one snapshot of a tree gave: a line for each member, as text, so that a test shows it whole. */
export interface Listing {
  readonly lines: readonly string[]
  readonly warnings: readonly Warning[]
  readonly codes: readonly string[]
  readonly facts: Snapshot['describe'] extends () => { facts: infer F } ? F : never
}

/** `d path/`, `- path = content`, `l path -> target`, `h path == earlier`; long contents as length and hash. */
export async function listTree(source: Source, claimed?: ReadonlySet<string>): Promise<Listing> {
  await using run = await scratchRun(claimed)
  await using snapshot = await source.snapshot(run.context)
  return await listSnapshot(snapshot)
}

export async function listSnapshot(snapshot: Snapshot): Promise<Listing> {
  const lines: string[] = []
  for await (const { path, type, link, content, size } of snapshot.members()) {
    if (type === 'directory') lines.push(`d ${path}/`)
    else if (type === 'symlink') lines.push(`l ${path} -> ${link}`)
    else if (type === 'hardlink') lines.push(`h ${path} == ${link}`)
    else lines.push(`- ${path} = ${await shown(content?.() ?? [], size)}`)
  }
  const { facts, warnings } = snapshot.describe()
  return { lines, warnings, facts, codes: warnings.map(({ code }) => code) }
}

async function shown(content: AsyncIterable<Uint8Array> | Uint8Array[], size = 0): Promise<string> {
  const hash = createHash('sha256')
  let start = ''
  let length = 0
  for await (const piece of content) {
    hash.update(piece)
    if (length < 100) start += Buffer.from(piece.subarray(0, 100)).toString('latin1')
    length += piece.length
  }
  if (length !== size) throw new Error(`announced ${size} bytes, gave ${length}`)
  return length <= 40 ? start : `${length} bytes ${hash.digest('hex')}`
}
