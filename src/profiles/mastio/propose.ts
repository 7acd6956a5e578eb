import { join } from 'node:path'
import type { Proposal, ProposedSource } from '../proposal.ts'
import { appNames } from './archive-name.ts'
import { readBundle } from './bundle.ts'
import type { Bundle } from './bundle.ts'
import { readEnv, valueOf } from './env-file.ts'
import { kmsOf } from './exclusions.ts'
import { excludedInData } from './layout.ts'
import type { PartName } from './layout.ts'
import { readSmall } from './small-file.ts'

/** mastio.md §7: where the vendor's page keeps archives, and §6 the passphrase. */
const target = '/var/backups/cullis'
const passphraseFile = '/etc/cullis/backup.pass'

const why: Readonly<Record<PartName, string>> = {
  data: 'mcp_proxy.db: the Org CA, all agents, the audit chains. Copied by SQLite while the application runs',
  'nginx-certs': 'certificates and the server key; the application can make them again from the database',
  certs: 'the Org CA and the organisation’s name, as deploy.sh exported them',
  'saml-keys': 'the SAML signing key',
  config: 'settings and secrets; the license is taken out on its way into the archive',
}

/**
 * The configuration for the bundle in a folder, its parts found through `proxy.env`; `undefined` where there is none of
 * this application. Throws GUARD_REFUSED for PostgreSQL, SOURCE_UNREADABLE where this user may not look.
 */
export async function propose(folder: string): Promise<Proposal | undefined> {
  const bundle = await bundleIn(folder)
  if (bundle === undefined) return undefined
  const { edition, env, exclusions, findings } = bundle
  return {
    app: appNames[edition],
    about: [
      `A Cullis Mastio bundle, ${edition === 'enterprise' ? 'enterprise' : 'open-core'} edition, in ${folder} (Compose project ${bundle.project}).`,
      caOf(bundle),
      'Where its folders lie is read from proxy.env. If that changes, change it here too: `sealift backup` compares.',
    ],
    sources: sourcesOf(bundle),
    target,
    passphraseFile,
    // mastio.md §7: 30 days, after a backup that was read back and is good.
    retention: { keep_within: '30d', after_backup: true },
    leftOut: exclusions.map(({ what, why: reason }) => ({
      what: what === 'backups/' ? join(folder, 'backups') : what,
      why: reason,
      loud: kmsOf(env) !== undefined && what.includes('Org CA key'),
    })),
    findings: findings.filter(({ check }) => check !== 'unknown-data-file'),
  }
}

/** A folder with a `proxy.env` of this application's. */
async function bundleIn(folder: string): Promise<Bundle | undefined> {
  const content = await readSmall('config', join(folder, 'proxy.env'))
  const { assignments } = readEnv(content?.toString('latin1') ?? '')
  const ours = assignments.some(({ key }) => /^(MCP_PROXY|CULLIS|MASTIO)_/.test(key))
  return ours ? readBundle(folder) : undefined
}

/** By `proxy.env` alone: the running database is not opened for this. Each backup determines it from its snapshot. */
function caOf({ env }: Bundle): string {
  const kms = kmsOf(env)
  if (kms !== undefined)
    return `The Org CA key is in the key service ${kms}, by proxy.env: it is NOT in the archives.`
  const encrypted = (valueOf(env, 'MCP_PROXY_DB_ENCRYPTION_KEY') ?? '') !== ''
  return encrypted
    ? 'The Org CA key is in the database, encrypted with MCP_PROXY_DB_ENCRYPTION_KEY, by proxy.env.'
    : 'The Org CA key is in the database in plaintext, by proxy.env: so it is in each archive.'
}

function sourcesOf({ sources, layout }: Bundle): ProposedSource[] {
  const found = sources.map(({ name, kind, path }): ProposedSource => ({ name, kind, path, why: why[name] }))
  const rest: ProposedSource = {
    name: 'data-files',
    kind: 'files',
    path: layout.data,
    exclude: [...excludedInData],
    why: 'what else lies beside the database; its locks, logs and leftover copies stay out',
  }
  return found.flatMap((source) => (source.name === 'data' ? [source, rest] : [source]))
}
