import { join } from 'node:path'
import type { X509Certificate } from 'node:crypto'
import type { Facts } from '../../manifest.ts'
import type { Places } from '../examination.ts'
import type { Address, LiveChecks, Look, Running } from '../live.ts'
import { readEnv } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import { publicUrl } from './env-urls.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import { httpsGet } from './https-get.ts'
import { checkLive } from './live-checks.ts'
import { scanLog } from './log-scan.ts'
import { certificateIn, fingerprint } from './pki.ts'
import { checkEndpoints } from './post-boot.ts'
import { readSmall } from './small-file.ts'
import { openSnapshot } from './snapshot-database.ts'

/** How long one answer may take. */
const answerMs = 10_000

/**
 * Whether a started application is the continuation of a backup (mastio.md §9.5): its endpoints over TLS under the Root
 * of the facts, the CA that it serves, its database by way of a copy, its log. `/readyz` says that something is ready,
 * not what: each of the others is needed, and what was not looked at is told.
 */
export async function checkRunning(running: Running, signal: AbortSignal): Promise<LiveChecks> {
  const { facts, address, live, log } = running
  const findings: MastioFinding[] = []
  const looks: Look[] = []
  const look = (what: string, done: boolean, detail: string): void => {
    looks.push({ what, done, detail })
  }
  if (address === undefined) look('endpoints', false, 'no address was given (--url)')
  else {
    const { said, found } = await askAt(address, facts, live, signal)
    look('endpoints', said === undefined, said ?? `${address.url.origin}: /healthz, /readyz, /pki/ca.crt`)
    findings.push(...found)
  }
  const copy = (await running.copies()).get('data')
  if (copy === undefined) {
    look('database', false, 'there is no live database on this host')
    // Where the bundle is, its database must be: a new one would be made, empty.
    if ((await envOf(live)).text !== '')
      findings.push(finding('fail', 'live-missing', 'the bundle is here and has no database'))
  } else {
    look('database', true, 'organisation, Org CA, agents and the heads of the audit chains, in a copy')
    using db = openSnapshot(copy)
    findings.push(...checkLive(db, facts))
  }
  if (log === undefined) look('log', false, 'no log was given (--logs)')
  else {
    const { lines, findings: found } = await scanLog(log, textOf(facts['org_id']), signal)
    look('log', lines > 0, lines > 0 ? `${lines} lines` : 'it is empty')
    findings.push(...found)
  }
  return { findings, looks }
}

async function askAt(
  { url, ca, patience }: Address,
  facts: Facts,
  places: Places,
  signal: AbortSignal,
): Promise<{ said?: string; found: MastioFinding[] }> {
  const expected = textOf(facts['ca_fingerprint_sha256'])
  const given = certificateIn(ca)
  if (ca !== undefined && given === undefined) {
    return {
      said: 'there is no trust anchor',
      found: [finding('fail', 'ca-given', 'the file of --ca holds no certificate')],
    }
  }
  if (given !== undefined && expected !== undefined && fingerprint(given) !== expected) {
    const detail = `the certificate of --ca is not the Org CA of the backup: ${fingerprint(given)}`
    return { said: 'there is no trust anchor', found: [finding('fail', 'ca-given', detail)] }
  }
  const root = given ?? (await rootOf(expected, facts, places))
  if (root === undefined) {
    const detail = `no certificate at hand is the Org CA of the backup (${expected ?? 'it recorded none'}): name it with --ca`
    return { said: 'there is no trust anchor', found: [finding('fail', 'ca-unknown', detail)] }
  }
  const named = publicUrl(await envOf(places))?.host
  const get = httpsGet({
    url: url.origin,
    root: root.toString(),
    ...(named === undefined ? {} : { alsoNamed: [named] }),
    timeoutMs: answerMs,
  })
  return { found: await checkEndpoints(get, facts, patience, signal) }
}

/** The Root by its fingerprint, from wherever a copy of it lies: the fact says which one is true. */
async function rootOf(
  expected: string | undefined,
  facts: Facts,
  places: Places,
): Promise<X509Certificate | undefined> {
  const certs = places.get('certs')
  const nginx = places.get('nginx-certs')
  const candidates = [
    textOf(facts['ca_certificate']),
    certs === undefined ? undefined : await readSmall('certs', join(certs, 'org-ca.pem')),
    nginx === undefined ? undefined : await readSmall('nginx-certs', join(nginx, 'org-ca.crt')),
  ]
  return candidates
    .map(certificateIn)
    .find((one) => one !== undefined && expected !== undefined && fingerprint(one) === expected)
}

async function envOf(places: Places): Promise<EnvFile> {
  const path = places.get('config')
  const content = path === undefined ? undefined : await readSmall('config', path)
  return readEnv(content?.toString('latin1') ?? '')
}

function textOf(value: Facts[string] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
