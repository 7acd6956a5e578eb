import { stat } from 'node:fs/promises'
import type { FactValue, ManifestSource } from '../manifest.ts'
import { Tally } from './files-tally.ts'
import { globs } from './globs.ts'
import { HardLinks } from './hard-links.ts'
import type { Finding } from './source.ts'
import { walk } from './walk.ts'

/** Compares what lies at `path` with the counts of the manifest. */
export async function checkTree(
  path: string,
  recorded: ManifestSource,
  signal: AbortSignal,
): Promise<Finding[]> {
  const found = (await count(path, recorded.name, signal)).facts()
  const sentence = (name: string, is: FactValue | undefined): string => {
    const was = recorded.facts[name]
    const things = is === 1 ? name.replace(/s$/, '') : name
    return was === is || was === undefined
      ? `${JSON.stringify(is)} ${things}`
      : `${JSON.stringify(was)} → ${JSON.stringify(is)} ${things}`
  }
  const known = Object.entries(found).filter(([name]) => name in recorded.facts)
  // An archive of another program counted nothing.
  const counts = known.length === 0 ? Object.entries(found) : known
  const wrong = known.filter(([name, value]) => value !== recorded.facts[name])
  const shown = (wrong.length === 0 ? counts : wrong).map(([name, value]) => sentence(name, value))
  return [{ check: 'files', verdict: wrong.length === 0 ? 'ok' : 'fail', detail: shown.join(', ') }]
}

async function count(path: string, source: string, signal: AbortSignal): Promise<Tally> {
  const tally = new Tally()
  const root = await stat(path, { bigint: true })
  if (!root.isDirectory()) {
    tally.count({ type: 'file', size: Number(root.size) })
    return tally
  }
  const links = new HardLinks()
  const nothing = globs([])
  const vanished = (): void => undefined
  const claimed = new Set<string>()
  const options = { source, root: path, include: nothing, exclude: nothing, claimed, signal, vanished }
  for await (const { path: name, stat: is } of walk(options)) {
    if (is.isDirectory()) tally.count({ type: 'directory' })
    else if (is.isSymbolicLink()) tally.count({ type: 'symlink' })
    else if (links.earlier(is) !== undefined) tally.count({ type: 'hardlink' })
    else {
      links.add(is, name)
      tally.count({ type: 'file', size: Number(is.size) })
    }
  }
  return tally
}
