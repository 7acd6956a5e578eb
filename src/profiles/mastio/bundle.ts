import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../../errors.ts'
import { usesPostgres } from './env-checks.ts'
import { readEnv, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { exclusionsOf } from './exclusions.ts'
import type { Exclusion } from './exclusions.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { dataFileKind, databaseName, editionOf, excludedInData, layoutOf, projectOf } from './layout.ts'
import type { Edition, Layout, PartName } from './layout.ts'

/** One source of a bundle, as a configuration would name it. */
export interface BundleSource {
  readonly name: PartName
  readonly kind: 'sqlite' | 'files'
  readonly path: string
}

/** A bundle as it lies on the host. It holds the text of `proxy.env`, secrets included: it is never shown. */
export interface Bundle {
  readonly path: string
  readonly edition: Edition
  /** The Compose project. */
  readonly project: string
  /** `CULLIS_MASTIO_VERSION`. */
  readonly version: string | undefined
  readonly env: EnvFile
  readonly compose: string
  readonly layout: Layout
  /** What is there to back up; `certs` and `saml-keys` only if they exist. */
  readonly sources: readonly BundleSource[]
  /** Names in `data/` that the application does not put there: a sealed archive takes them along. */
  readonly unknownData: readonly string[]
  /** Patterns of what no archive takes from `data/`. */
  readonly excludedInData: readonly string[]
  readonly exclusions: readonly Exclusion[]
  readonly findings: readonly MastioFinding[]
}

/**
 * Reads the bundle in a folder: where its parts lie, which edition it is, what is backed up and what is not. The
 * database is not opened. Throws SOURCE_NOT_FOUND without `proxy.env`, GUARD_REFUSED for PostgreSQL, SOURCE_UNREADABLE
 * where this user may not look.
 */
export async function readBundle(path: string): Promise<Bundle> {
  const config = join(path, 'proxy.env')
  const text = await readIfThere(config)
  if (text === undefined) throw new SealiftError('SOURCE_NOT_FOUND', { source: 'config', path: config })
  const env = readEnv(text)
  if (usesPostgres(env)) {
    const reason = 'MCP_PROXY_DATABASE_URL is PostgreSQL: SQLite backup only'
    throw new SealiftError('GUARD_REFUSED', { guard: 'mastio', reason })
  }
  const compose = (await readIfThere(join(path, 'docker-compose.yml'))) ?? ''
  const edition = editionOf(env, compose)
  const layout = layoutOf(path, env)
  const data = await namesIn(layout.data, 'data')
  const unknownData = (data ?? []).filter((name) => dataFileKind(name) === 'unknown').toSorted()
  const version = valueOf(env, 'CULLIS_MASTIO_VERSION')
  return {
    path,
    edition,
    project: projectOf(env, compose),
    version: version === '' ? undefined : version,
    env,
    compose,
    layout,
    sources: await sourcesOf(layout),
    unknownData,
    excludedInData,
    exclusions: exclusionsOf(env),
    findings: [...dataFindings(layout.data, data, unknownData), ...(await partFindings(layout))],
  }
}

async function sourcesOf(layout: Layout): Promise<BundleSource[]> {
  const sources: BundleSource[] = [
    { name: 'data', kind: 'sqlite', path: join(layout.data, databaseName) },
    { name: 'nginx-certs', kind: 'files', path: layout['nginx-certs'] },
  ]
  for (const name of ['certs', 'saml-keys'] as const) {
    if (await isFolder(layout[name])) sources.push({ name, kind: 'files', path: layout[name] })
  }
  return [...sources, { name: 'config', kind: 'files', path: layout.config }]
}

function dataFindings(
  folder: string,
  names: readonly string[] | undefined,
  unknown: readonly string[],
): MastioFinding[] {
  const found: MastioFinding[] = []
  if (names?.includes(databaseName) !== true) {
    found.push(finding('hard', 'database-missing', `there is no ${databaseName} in ${folder}`))
  }
  if (names?.some((name) => dataFileKind(name) === 'leftover') === true) {
    const detail = `${databaseName}.snapshot lies in ${folder}: a plaintext copy of everything; remove it`
    found.push(finding('attention', 'leftover-snapshot', detail))
  }
  if (unknown.length > 0) {
    const detail = `files in ${folder} that are not the application’s: ${unknown.join(', ')}`
    found.push(finding('note', 'unknown-data-file', detail))
  }
  return found
}

async function partFindings(layout: Layout): Promise<MastioFinding[]> {
  const found: MastioFinding[] = []
  if (!(await isFolder(layout['nginx-certs']))) {
    const detail = `there is no folder ${layout['nginx-certs']}; it is made again from the database at the next start`
    found.push(finding('attention', 'nginx-certs-missing', detail))
  }
  if (!(await isFolder(layout.certs))) {
    const detail = `there is no folder ${layout.certs}; deploy.sh exports it again`
    found.push(finding('note', 'certs-missing', detail))
  }
  return found
}

/** As latin1, so that the text can be written back byte for byte. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    return absent(error, 'config', path)
  }
}

async function namesIn(path: string, source: string): Promise<string[] | undefined> {
  try {
    return await readdir(path)
  } catch (error) {
    return absent(error, source, path)
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    absent(error, 'bundle', path)
    return false
  }
}

/** `undefined` for what is not there; any other error says that nobody may look. */
function absent(error: unknown, source: string, path: string): undefined {
  if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
  throw new SealiftError('SOURCE_UNREADABLE', { source, path, reason: reasonOf(error) }, error)
}
