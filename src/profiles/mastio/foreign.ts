import { dirname } from 'node:path'
import type { ForeignArchives } from '../foreign.ts'
import { parseArchiveName } from './archive-name.ts'
import { readBundle } from './bundle.ts'
import { enterpriseLayout, seedLayout } from './foreign-layout.ts'
import { readForeign } from './foreign-reading.ts'

/** Archives of `gpg --symmetric`, as the vendor's page and the enterprise script make them (mastio.md §5). */
export const foreign: ForeignArchives = {
  format: 'gpg',
  named(name) {
    const said = parseArchiveName(name)
    if (said?.format !== 'gpg') return undefined
    return { takenAt: said.stamp }
  },
  read: readForeign,
  layouts: { seed: seedLayout, enterprise: enterpriseLayout },
  async usualLayout(places) {
    const config = places.get('config')
    if (config === undefined) return 'seed'
    return (await readBundle(dirname(config))).edition === 'enterprise' ? 'enterprise' : 'seed'
  },
}
