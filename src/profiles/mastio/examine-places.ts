import { dirname, join } from 'node:path'
import type { Facts, Manifest } from '../../manifest.ts'
import type { Examination, Examined, Places } from '../examination.ts'
import { checkBundle } from './bundle-checks.ts'
import { readBundle } from './bundle.ts'
import type { CertificateFiles } from './certificate-checks.ts'
import { readEnv, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { examine } from './examine.ts'
import { compareFacts } from './facts-compare.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { editionOf } from './layout.ts'
import type { Edition } from './layout.ts'
import { readLicense } from './license.ts'
import type { LicenseState } from './license.ts'
import { readSmall } from './small-file.ts'

/** The source that the facts stand at. */
export const factsSource = 'data'

/**
 * Examines the data of an application: before a backup together with the bundle that it lies in, at a restore against
 * what its archive says. One without a database is refused. Throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE,
 * GUARD_REFUSED (PostgreSQL).
 */
export async function examinePlaces(examined: Examined, signal: AbortSignal): Promise<Examination> {
  const { places, stage, takenAt, manifest, predecessor, redacted } = examined
  const database = places.get('data')
  if (database === undefined) return { source: factsSource, facts: {}, findings: withoutDatabase(manifest) }
  const recorded = recordedFacts(manifest)
  const config = places.get('config')
  const bundle = stage === 'backup' && config !== undefined ? await readBundle(dirname(config)) : undefined
  const env = bundle?.env ?? (await stagedEnv(config, recorded))
  const files = (): Promise<CertificateFiles> => certificateFiles(places)
  const { facts, findings } = await examine(
    {
      database,
      env,
      files: await files(),
      edition: bundle?.edition ?? recordedEdition(recorded) ?? stagedEdition(env, places),
      license: licenseState(env, stage === 'backup' && redacted),
      snapshotAt: takenAt,
      ...(predecessor === undefined ? {} : { predecessor }),
      // Only a running application renews the pair while it is read.
      ...(stage === 'backup' ? { reread: files } : {}),
      // The source, or the driver at a restore, has run it on this very file.
      integrityChecked: true,
    },
    signal,
  )
  const around: MastioFinding[] =
    bundle === undefined
      ? compareFacts(recorded, facts, isComplete(places))
      : await checkBundle(bundle, examined)
  return { source: factsSource, facts, findings: [...around, ...findings] }
}

/** mastio.md §9.1 rule 5: everything else is of no use without it. A backup has a guard for this. */
function withoutDatabase(manifest: Manifest | undefined): MastioFinding[] {
  if (manifest === undefined || manifest.sources.some(({ name }) => name === factsSource)) return []
  return [finding('hard', 'database-missing', 'the archive holds no database, so it restores nothing')]
}

/** The facts of an archive; a foreign one has none. */
export function recordedFacts(manifest: Manifest | undefined): Facts {
  return manifest?.sources.find(({ name }) => name === factsSource)?.facts ?? {}
}

/** `proxy.env` as text that keeps every byte; empty where it is not there. */
export async function envAt(path: string | undefined): Promise<EnvFile> {
  const content = path === undefined ? undefined : await readSmall('config', path)
  return readEnv(content?.toString('latin1') ?? '')
}

/** Without its `proxy.env`, an archive still says that the key of the Org CA is not in its database. */
async function stagedEnv(config: string | undefined, recorded: Facts): Promise<EnvFile> {
  if (config !== undefined || recorded['ca_mode'] !== 'external-kms') return envAt(config)
  return readEnv('MCP_PROXY_KMS_BACKEND=vault\n')
}

async function certificateFiles(places: Places): Promise<CertificateFiles> {
  const read = async (source: string, name: string): Promise<Buffer | undefined> => {
    const folder = places.get(source)
    return folder === undefined ? undefined : readSmall(source, join(folder, name))
  }
  return {
    orgCaCrt: await read('nginx-certs', 'org-ca.crt'),
    serverCrt: await read('nginx-certs', 'mastio-server.crt'),
    serverKey: await read('nginx-certs', 'mastio-server.key'),
    orgCaPem: await read('certs', 'org-ca.pem'),
    orgId: await read('certs', 'org-id'),
  }
}

function licenseState(env: EnvFile, redacted: boolean): LicenseState {
  const { state } = readLicense(env)
  return state !== 'present' ? state : redacted ? 'redacted' : 'kept'
}

function recordedEdition({ edition }: Facts): Edition | undefined {
  return edition === 'enterprise' || edition === 'open-core' ? edition : undefined
}

/** A foreign archive has no Compose file: its SAML keys tell. */
function stagedEdition(env: EnvFile, places: Places): Edition {
  const edition = editionOf(env, '')
  return edition === 'open-core' &&
    places.has('saml-keys') &&
    valueOf(env, 'COMPOSE_PROJECT_NAME') !== 'cullis-mastio'
    ? 'enterprise'
    : edition
}

function isComplete(places: Places): boolean {
  return ['config', 'nginx-certs'].every((name) => places.has(name))
}
