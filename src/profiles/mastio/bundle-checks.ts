import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { Examined } from '../examination.ts'
import type { Bundle } from './bundle.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

/**
 * What a backup must know of the bundle around its sources: what lies in `data/` beside the database, and whether the
 * configuration takes all that `proxy.env` names, from where it says. A database at a place that the application has
 * left would be a good backup of the past: `fail`.
 */
export async function checkBundle(
  { sources, findings, unknownData, layout }: Bundle,
  { places, live }: Pick<Examined, 'places' | 'live'>,
): Promise<MastioFinding[]> {
  const found = [...findings]
  for (const { name, kind, path } of sources) {
    if (!places.has(name)) {
      const detail = `${path} is not among the sources: add \`${name}\` to sealift.yaml`
      found.push(finding('attention', 'source-missing', detail))
      continue
    }
    // A database is examined by way of a copy, so only the configuration tells where it came from.
    const configured = (live ?? places).get(name)
    if (configured === undefined || (live === undefined && kind === 'sqlite')) continue
    if ((await realOf(configured)) === (await realOf(path))) continue
    const detail = `source \`${name}\` is ${configured}, and proxy.env says ${path}`
    found.push(finding(kind === 'sqlite' ? 'fail' : 'attention', 'source-elsewhere', detail))
  }
  if (unknownData.length > 0 && !places.has('data-files')) {
    const detail = `${unknownData.join(', ')} in ${layout.data} are in no source: add \`data-files\` to sealift.yaml`
    found.push(finding('attention', 'source-missing', detail))
  }
  return found
}

async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return resolve(path)
  }
}
