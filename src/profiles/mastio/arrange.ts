import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { Arranged, Arrangement } from '../arrangement.ts'
import { arrangeEnv } from './arrange-env.ts'
import type { ArrangedEnv } from './arrange-env.ts'
import { keyStoreState } from './ca-mode.ts'
import { checkEnv } from './env-checks.ts'
import { readEnv, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import type { Surroundings } from './env-surroundings.ts'
import { recordedFacts } from './examine-places.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { fitStaged } from './fit.ts'
import { bundleOf, layoutOf } from './layout.ts'
import type { PartName } from './layout.ts'
import { applicationUser } from './ownership.ts'
import { alternativeNames, certificateIn } from './pki.ts'
import { readSmall } from './small-file.ts'
import { isSqliteError, openSnapshot } from './snapshot-database.ts'
import { undoneBy } from './undone.ts'
import { checkVersion } from './version-check.ts'

/**
 * Fits staged data to this host, and says what the restore means (mastio.md §9.1 rules 8, 10, 11, 13 and 14, §9.2 to
 * §9.4). Only what would lose the Org CA, or not start, is among the findings that stop the restore; what keeps the
 * bundle from being deployed is in `blocked`. Throws USAGE for a public URL that is none.
 */
export async function arrange(arrangement: Arrangement, signal: AbortSignal): Promise<Arranged> {
  const { staged, live, standing, manifest, privileged, now } = arrangement
  const config = live.get('config')
  const bundle = config === undefined ? bundleOf(manifest) : dirname(config)
  const env = await arrangeEnv(arrangement, bundle)
  await fitStaged({ staged, bundle, privileged }, signal)
  if (env.also !== undefined)
    await fitStaged({ staged: new Map([['config', env.also]]), bundle, privileged }, signal)
  const checked = await checkEffective(arrangement, bundle, env, signal)
  const [database, standingDatabase] = [staged.get('data'), standing.get('data')]
  return {
    findings: [
      ...env.findings,
      ...checked.filter((one) => one.class !== 'fail'),
      ...(database === undefined ? [] : versionFindings(arrangement, env)),
      ...(await serverExpired(staged.get('nginx-certs'), now)),
      ...(privileged ? [] : await notRoot(arrangement)),
    ],
    blocked: [
      ...checked.filter((one) => one.class === 'fail'),
      ...(bundle === undefined || env.effective === undefined
        ? []
        : misplaced(arrangement, bundle, env.effective)),
    ],
    beside: new Map(env.beside === undefined ? [] : [['config', env.beside]]),
    ...(env.also === undefined ? {} : { also: new Map([['config', env.also]]) }),
    around: new Map([['data', { mode: 0o750, ...applicationUser }]]),
    undone:
      database === undefined || standingDatabase === undefined ? [] : undoneBy(database, standingDatabase),
  }
}

/**
 * The checks of §9.3 on the file that will be read. A key that does not open the encrypted Org CA is `hard`: with a wrong
 * one the application is never ready, and without one it starts and makes a new Org CA (measured).
 */
async function checkEffective(
  arrangement: Arrangement,
  bundle: string | undefined,
  { effective, newHost }: ArrangedEnv,
  signal: AbortSignal,
): Promise<MastioFinding[]> {
  const env = effective ?? readEnv('')
  const surroundings = await lookAround(arrangement, bundle, { env, newHost })
  const checked = (await checkEnv(env, surroundings, signal)).map((one): MastioFinding =>
    one.check === 'pki-key' ? { ...one, class: 'hard' } : one,
  )
  if (effective !== undefined) return checked
  const missing = finding('fail', 'env-missing', 'there is no proxy.env: the application cannot be deployed')
  return [missing, ...checked.filter((one) => one.class === 'hard')]
}

async function lookAround(
  { staged, manifest, settings, now }: Arrangement,
  bundle: string | undefined,
  { env, newHost }: { readonly env: EnvFile; readonly newHost: boolean },
): Promise<Surroundings> {
  const database = staged.get('data')
  const compose =
    bundle === undefined ? undefined : await readSmall('config', join(bundle, 'docker-compose.yml'))
  const certs = staged.get('nginx-certs')
  const server = certs === undefined ? undefined : await serverCertificate(certs)
  const pkiKey = database === undefined ? undefined : await keyState(database, env)
  const takenAt = manifest.sources.find(({ name }) => name === 'data')?.snapshot_at
  const host = settings.publicUrl?.hostname
  return {
    now,
    newHost,
    ...(takenAt === undefined ? {} : { backupAt: new Date(takenAt) }),
    ...(host === undefined ? {} : { host }),
    ...(compose === undefined ? {} : { compose: compose.toString('latin1') }),
    ...(server === undefined ? {} : { serverNames: alternativeNames(server) }),
    ...(database === undefined ? {} : { databaseBytes: (await stat(database)).size }),
    ...(pkiKey === undefined ? {} : { pkiKey }),
  }
}

/** Of a database that cannot be read nothing is said here: the examination has said it. */
async function keyState(database: string, env: EnvFile): Promise<Surroundings['pkiKey']> {
  try {
    using db = openSnapshot(database)
    return await keyStoreState(db, env)
  } catch (error) {
    if (!isSqliteError(error)) throw error
    return undefined
  }
}

async function serverCertificate(certs: string): Promise<ReturnType<typeof certificateIn>> {
  return certificateIn(await readSmall('nginx-certs', join(certs, 'mastio-server.crt')))
}

function versionFindings(
  { manifest }: Arrangement,
  { effective, archivedVersion }: ArrangedEnv,
): MastioFinding[] {
  const { bundle_version: recorded } = recordedFacts(manifest)
  const archived = typeof recorded === 'string' ? recorded : archivedVersion
  return effective === undefined ? [] : checkVersion(archived, valueOf(effective, 'CULLIS_MASTIO_VERSION'))
}

/** The examination judged it at the moment of the backup. */
async function serverExpired(certs: string | undefined, now: Date): Promise<MastioFinding[]> {
  const until = certs === undefined ? undefined : (await serverCertificate(certs))?.validToDate
  if (until === undefined || until >= now) return []
  const detail = `the server certificate expired on ${until.toISOString().slice(0, 10)}; it is made again at the next start`
  return [finding('note', 'server-expired', detail)]
}

/** Into an empty bundle anybody may restore: `init-permissions` gives the folders their owners at the next start. */
async function notRoot({ standing }: Arrangement): Promise<MastioFinding[]> {
  for (const path of standing.values()) {
    if (!(await hasContent(path))) continue
    const detail = `only root can give the files their owners, and ${path} is not empty: run as root`
    return [finding('fail', 'not-root', detail)]
  }
  return []
}

async function hasContent(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return true
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Where the application will look, by the file that it will read, for what goes elsewhere. */
function misplaced({ live }: Arrangement, bundle: string, env: EnvFile): MastioFinding[] {
  const layout = layoutOf(bundle, env)
  const folders: readonly PartName[] = ['data', 'nginx-certs', 'certs', 'saml-keys']
  return folders.flatMap((part) => {
    const place = live.get(part)
    if (place === undefined) return []
    const folder = part === 'data' ? dirname(place) : place
    if (folder === layout[part]) return []
    return [
      finding('fail', 'place-differs', `${part} goes to ${folder}, and proxy.env names ${layout[part]}`),
    ]
  })
}
