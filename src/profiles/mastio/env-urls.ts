import { isIP } from 'node:net'
import { SealiftError } from '../../errors.ts'
import { readEnv, valueOf, withKey } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import type { Surroundings } from './env-surroundings.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

const urlKey = 'MCP_PROXY_PROXY_PUBLIC_URL'
const sanKey = 'MCP_PROXY_NGINX_SAN'
const defaultSans = 'mastio.local,localhost,host.docker.internal,mastio-nginx,mcp-proxy'
const defaultPort = '9443'
const hereOnly = new Set(['localhost', '127.0.0.1', '::1', 'host.docker.internal'])

/** Host and port of the public URL, and the names for the server certificate, as the effective file has them. */
export function publicUrl(env: EnvFile): { host: string; port: string; protocol: string } | undefined {
  const value = valueOf(env, urlKey) ?? ''
  if (!URL.canParse(value)) return undefined
  const { hostname, port, protocol } = new URL(value)
  const usual = protocol === 'https:' ? '443' : '80'
  return { host: plainHost(hostname), port: port === '' ? usual : port, protocol }
}

/** Names and addresses of the SAN list, or the bundle's own where there is none. */
export function sanNames(env: EnvFile): string[] {
  const list = valueOf(env, sanKey) ?? ''
  return (list === '' ? defaultSans : list)
    .split(',')
    .map((name) => plainHost(name.trim()))
    .filter((name) => name !== '')
}

/**
 * The text of a `proxy.env` with another public URL, and its host at the head of the SAN list. Throws USAGE for what is
 * no https URL of a host.
 */
export function withPublicUrl(text: string, url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (
    parsed?.protocol !== 'https:' ||
    parsed.pathname !== '/' ||
    parsed.search !== '' ||
    parsed.username !== ''
  ) {
    throw new SealiftError('USAGE', { reason: `${url} is not of the form https://HOST or https://HOST:PORT` })
  }
  const host = plainHost(parsed.hostname)
  const others = sanNames(readEnv(text)).filter((name) => name !== host)
  return withKey(withKey(text, urlKey, parsed.origin), sanKey, [host, ...others].join(','))
}

/**
 * The public URL and the SAN list. Agents sign the URL that they call, and the application compares it with this one:
 * a mismatch is 401 `Invalid DPoP proof: htu mismatch` on every call.
 */
export function checkUrls(env: EnvFile, surroundings: Surroundings): MastioFinding[] {
  if ((valueOf(env, urlKey) ?? '') === '') return [finding('fail', 'public-url', `${urlKey} is not set`)]
  const url = publicUrl(env)
  if (url === undefined) return [finding('fail', 'public-url', `${urlKey} is no URL`)]
  return [...checkUrl(env, url, surroundings), ...checkSans(env, url.host, surroundings)]
}

function checkUrl(
  env: EnvFile,
  { host, port, protocol }: { host: string; port: string; protocol: string },
  { host: expected }: Surroundings,
): MastioFinding[] {
  const found: MastioFinding[] = []
  const production = valueOf(env, 'MCP_PROXY_ENVIRONMENT') === 'production'
  const inProduction = production ? 'fail' : 'attention'
  if (protocol !== 'https:') {
    found.push(finding(inProduction, 'public-url-plain', `${urlKey} is not https`))
  }
  if (expected !== undefined && host !== plainHost(expected)) {
    const detail = `${urlKey} does not name ${plainHost(expected)}: every call of an agent would get 401`
    found.push(finding('fail', 'public-url-host', detail))
  } else if (hereOnly.has(host)) {
    const detail = `${urlKey} names this machine only: no agent elsewhere can call it`
    found.push(finding(inProduction, 'public-url-local', detail))
  }
  const served = valueOf(env, 'MCP_PROXY_PORT') ?? ''
  if (port !== (served === '' ? defaultPort : served)) {
    const balancer = port === '443' && protocol === 'https:'
    found.push(
      balancer
        ? finding('note', 'public-url-port', `${urlKey} has port 443: a balancer must stand in front`)
        : finding('fail', 'public-url-port', `the port of ${urlKey} is not that of MCP_PROXY_PORT`),
    )
  }
  return found
}

function checkSans(env: EnvFile, host: string, { newHost, serverNames }: Surroundings): MastioFinding[] {
  const found: MastioFinding[] = []
  const names = sanNames(env)
  if (!names.includes(host)) {
    const detail = `${sanKey} lacks the host of ${urlKey}; not every version adds it by itself`
    found.push(finding(newHost === true ? 'fail' : 'attention', 'san-host', detail))
  }
  if (serverNames !== undefined) {
    const served = new Set(serverNames.map(plainHost))
    const wanted = new Set([...names, ...(served.has(host) ? [host] : [])])
    if (served.size !== wanted.size || [...wanted].some((name) => !served.has(name))) {
      const detail = `mastio-server.crt has other names than ${sanKey}; it is made anew at the next start`
      found.push(finding('note', 'san-certificate', detail))
    }
  }
  return found
}

/** A host as it is compared: lower case, an IPv6 address without brackets and in its short form. */
export function plainHost(host: string): string {
  const bare = host.toLowerCase().replaceAll(/^\[|\]$/g, '')
  return isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare
}
