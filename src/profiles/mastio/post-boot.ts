import { reasonOf, systemCode } from '../../errors.ts'
import type { Facts } from '../../manifest.ts'
import type { Patience } from '../live.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'
import type { Answer, Get } from './https-get.ts'
import { certificateIn, fingerprint } from './pki.ts'

/** What is wrong with a certificate, by the code that Node gives. */
const certificateTrouble: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server certificate does not name the host',
  CERT_HAS_EXPIRED: 'the server certificate has expired',
}
const untrusted = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA/

/**
 * Asks a started application whether it is the one that was backed up: `/healthz` and `/readyz` over TLS under the Root
 * of the facts, then the CA that it serves. `/readyz` alone proves nothing: it is ready on a brand-new CA and on an
 * empty database (measured).
 */
export async function checkEndpoints(
  get: Get,
  facts: Facts,
  patience: Patience,
  signal: AbortSignal,
): Promise<MastioFinding[]> {
  const healthy = await until(get, '/healthz', isHealthy, patience, signal)
  if (healthy.failure !== undefined) return [healthy.failure]
  const ready = await until(get, '/readyz', isReady, patience, signal)
  return [
    ...(ready.failure === undefined ? [] : [ready.failure]),
    ...(await checkServedCa(get, facts, signal)),
    ...(await checkWarnings(get, signal)),
  ]
}

function isHealthy({ status, body }: Answer): boolean {
  return status === 200 && field(body, 'status') === 'ok'
}

function isReady({ status, body }: Answer): boolean {
  return status === 200 && field(body, 'status') === 'ready'
}

/** Asks each second until the answer is good or the time is over. */
async function until(
  get: Get,
  path: string,
  good: (answer: Answer) => boolean,
  { seconds, now, sleep }: Patience,
  signal: AbortSignal,
): Promise<{ failure: MastioFinding | undefined }> {
  const end = now().getTime() + seconds * 1000
  for (;;) {
    const { answer, failure } = await attempt(get, path, signal)
    if (answer !== undefined && good(answer)) return { failure: undefined }
    if (now().getTime() >= end) {
      const said = answer === undefined ? '' : `status ${answer.status}, ${describeStatus(answer.body)}`
      const detail = `${path} was not good within ${seconds} s: ${said}`
      return { failure: failure ?? finding('fail', path.slice(1), detail) }
    }
    await sleep(1000, signal)
  }
}

async function attempt(
  get: Get,
  path: string,
  signal: AbortSignal,
): Promise<{ answer?: Answer; failure?: MastioFinding }> {
  try {
    return { answer: await get(path, signal) }
  } catch (error) {
    signal.throwIfAborted()
    const code = systemCode(error) ?? ''
    const trouble = untrusted.test(code)
      ? 'the server certificate is not under the Org CA of the backup'
      : certificateTrouble[code]
    const said = error instanceof Error && code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? error.message : code
    if (trouble !== undefined) return { failure: finding('fail', 'tls', `${trouble} (${said})`) }
    return { failure: finding('fail', 'unreachable', `${path} cannot be asked: ${reasonOf(error)}`) }
  }
}

/** `/pki/ca.crt` serves the row of the database, not the CA that is loaded: TLS and this are two checks. */
async function checkServedCa(get: Get, facts: Facts, signal: AbortSignal): Promise<MastioFinding[]> {
  const { answer, failure } = await attempt(get, '/pki/ca.crt', signal)
  if (answer === undefined) return failure === undefined ? [] : [failure]
  if (answer.status === 429) {
    return [finding('attention', 'ca-served', '/pki/ca.crt was asked too often: try again in a minute')]
  }
  const certificate = answer.status === 200 ? certificateIn(answer.body) : undefined
  if (certificate === undefined) {
    const what = answer.status === 404 ? 'there is none' : `status ${answer.status} and no certificate`
    return [finding('fail', 'ca-served', `/pki/ca.crt serves no Org CA: ${what}`)]
  }
  const served = fingerprint(certificate)
  if (served === facts['ca_fingerprint_sha256']) return []
  return [
    finding('fail', 'ca-served', `/pki/ca.crt serves another Org CA than that of the backup: ${served}`),
  ]
}

async function checkWarnings(get: Get, signal: AbortSignal): Promise<MastioFinding[]> {
  const { answer } = await attempt(get, '/health', signal)
  const warnings = answer === undefined ? undefined : parsed(answer.body)?.['warnings']
  if (!Array.isArray(warnings) || warnings.length === 0) return []
  const names = warnings.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  return [finding('attention', 'health-warning', `/health warns: ${names.join(', ')}`)]
}

/** What a body says of itself, without the rest of it. */
function describeStatus(body: string): string {
  const checks = parsed(body)?.['checks']
  const failed =
    typeof checks === 'object' && checks !== null
      ? Object.entries(checks).map(([name, value]) => `${name}: ${String(value)}`)
      : []
  return [field(body, 'status') ?? 'no JSON status', ...failed].join(', ')
}

function field(body: string, name: string): string | undefined {
  const value = parsed(body)?.[name]
  return typeof value === 'string' ? value : undefined
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // No JSON: the status alone is told.
    return undefined
  }
}
