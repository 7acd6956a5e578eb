import { dirname } from 'node:path'
import type { ForeignLayout } from '../foreign.ts'
import { archiveName } from './archive-name.ts'
import { databaseIn, manifestText } from './foreign-reading.ts'
import type { LayoutName } from './foreign-reading.ts'
import type { Edition } from './layout.ts'
import { formatManifestText } from './manifest-txt.ts'

/**
 * The layout of the vendor's page: its own commands restore it. SAML keys, which the page does not know, lie beside the
 * rest as the enterprise script has them.
 */
export const seedLayout: ForeignLayout = { ...common('seed', 'open-core'), prefix: '', papers: () => [] }

/**
 * The layout of the enterprise script, and `certs/` as well: the vendor's restore passes over what it does not know, so
 * it takes the archive, and nothing that the page promises is lost.
 */
export const enterpriseLayout: ForeignLayout = {
  ...common('enterprise', 'enterprise'),
  prefix: './',
  papers({ takenAt, host, places, facts, files }) {
    const config = places.get('config')
    const { bundle_version: version } = facts
    const content = formatManifestText({
      bundle: config === undefined ? 'unknown' : dirname(config),
      takenAt,
      version: typeof version === 'string' ? version : 'unknown',
      host,
      files,
    })
    return [{ path: manifestText, content: Buffer.from(content) }]
  },
}

function common(layout: LayoutName, edition: Edition): Pick<ForeignLayout, 'fileName' | 'needs' | 'pathOf'> {
  return {
    fileName: (stamp) => archiveName({ edition, stamp, format: 'gpg' }),
    needs: ['data'],
    pathOf(source, path) {
      if (source === 'data') return path === '' ? undefined : databaseIn[layout]
      if (source === 'config') return path === '' ? undefined : 'proxy.env'
      if (!['nginx-certs', 'certs', 'saml-keys'].includes(source)) return undefined
      return path === '' ? source : `${source}/${path}`
    },
  }
}
