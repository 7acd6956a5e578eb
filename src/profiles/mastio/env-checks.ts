import { valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { checkOddities } from './env-oddities.ts'
import { checkReferences } from './env-references.ts'
import type { Surroundings } from './env-surroundings.ts'
import { checkUrls } from './env-urls.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { checkLicense } from './license.ts'

const pkiKey = 'MCP_PROXY_DB_ENCRYPTION_KEY'
const productionKeyLength = 32

/**
 * Every check on the `proxy.env` that will be effective. `fail` blocks "ready to deploy". A finding names keys, never a
 * value. Nothing is read but what is handed in.
 */
export async function checkEnv(
  env: EnvFile,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<MastioFinding[]> {
  return [
    ...checkUrls(env, surroundings),
    ...checkSecrets(env),
    ...checkProduction(env),
    ...checkPkiKey(env, surroundings),
    ...checkDatabaseUrl(env, surroundings),
    ...checkLicense(env, surroundings.backupAt ?? surroundings.now),
    ...(await checkReferences(env, surroundings, signal)),
    ...checkOddities(env),
  ]
}

/** True if the application of this file keeps its rows in PostgreSQL: nothing for a backup of SQLite. */
export function usesPostgres(env: EnvFile): boolean {
  return /^\s*postgres/i.test(valueOf(env, 'MCP_PROXY_DATABASE_URL') ?? '')
}

function checkSecrets(env: EnvFile): MastioFinding[] {
  const found: MastioFinding[] = []
  const admin = valueOf(env, 'MCP_PROXY_ADMIN_SECRET') ?? ''
  if (admin === '') {
    // The application starts with it (measured): anybody is the administrator.
    found.push(
      finding('fail', 'admin-secret', 'MCP_PROXY_ADMIN_SECRET is empty, and the application accepts that'),
    )
  } else if (admin === 'change-me-in-production') {
    const detail = 'MCP_PROXY_ADMIN_SECRET is the shipped default: the application refuses to start'
    found.push(finding('fail', 'admin-secret', detail))
  }
  if ((valueOf(env, 'MCP_PROXY_DASHBOARD_SIGNING_KEY') ?? '') === '') {
    const detail =
      'MCP_PROXY_DASHBOARD_SIGNING_KEY is empty: a key is made in the container and never backed up'
    found.push(finding('fail', 'signing-key', detail))
  }
  return found
}

function checkProduction(env: EnvFile): MastioFinding[] {
  if (valueOf(env, 'MCP_PROXY_ENVIRONMENT') !== 'production') return []
  const wrong: string[] = []
  if (valueOf(env, 'MCP_PROXY_SECRET_BACKEND') !== 'vault')
    wrong.push('MCP_PROXY_SECRET_BACKEND is not vault')
  const kms = valueOf(env, 'MCP_PROXY_KMS_BACKEND') ?? ''
  if (kms === '' || kms === 'local') wrong.push('MCP_PROXY_KMS_BACKEND is local')
  if ((valueOf(env, pkiKey) ?? '').length < productionKeyLength) {
    wrong.push(`${pkiKey} has fewer than ${productionKeyLength} characters`)
  }
  return wrong.map((what) => finding('fail', 'production', `with MCP_PROXY_ENVIRONMENT=production: ${what}`))
}

function checkPkiKey(env: EnvFile, { pkiKey: opens, compose }: Surroundings): MastioFinding[] {
  const found: MastioFinding[] = []
  const because: Partial<Record<string, string>> = {
    wrong: 'does not open the key store of the database: the application would never be ready',
    missing: 'is not set, and the key store of the database is encrypted: a new Org CA would be made',
    'too-short': 'has fewer than 16 characters: the application does not take it',
  }
  const what = because[opens ?? '']
  if (what !== undefined) found.push(finding('fail', 'pki-key', `${pkiKey} ${what}`))
  if ((valueOf(env, pkiKey) ?? '') !== '' && compose !== undefined && !passes(compose, pkiKey)) {
    const detail = `${pkiKey} is set, but the Compose file does not pass it to the application`
    found.push(finding('fail', 'pki-key-not-passed', detail))
  }
  return found
}

/** True if a Compose file hands the variable on: by its name, or as a whole file of variables. */
function passes(compose: string, key: string): boolean {
  const active = compose.replaceAll(/(^|\s)#.*$/gm, '')
  return new RegExp(`\\b${key}\\b`).test(active) || /^\s*env_file\s*:/m.test(active)
}

function checkDatabaseUrl(env: EnvFile, { databaseBytes = 0 }: Surroundings): MastioFinding[] {
  if (!usesPostgres(env) || databaseBytes === 0) return []
  const detail = 'MCP_PROXY_DATABASE_URL is PostgreSQL beside a SQLite file with data: deploy.sh refuses'
  return [finding('fail', 'database-url', detail)]
}
