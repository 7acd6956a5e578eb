import { nonEmptyNames, valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'
import type { EnvReference, Surroundings } from './env-surroundings.ts'
import { finding } from './finding.ts'
import type { MastioFinding } from './finding.ts'

const external = /^(CULLIS_CLOUD_KMS_|AWS_|AZURE_)/
const file = /(_PATH$|^GOOGLE_APPLICATION_CREDENTIALS$)/

/** Every reference that must resolve from the host which the bundle runs on, in the order of the names. */
export function references(env: EnvFile): EnvReference[] {
  return nonEmptyNames(env).flatMap((key): EnvReference[] => {
    const value = valueOf(env, key) ?? ''
    if (file.test(key)) return [{ key, kind: 'file', path: value }]
    if (key !== 'MCP_PROXY_VAULT_ADDR' && !external.test(key)) return []
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) return [{ key, kind: 'external' }]
    const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
    return [{ key, kind: 'server', host: url.hostname.replaceAll(/^\[|\]$/g, ''), port }]
  })
}

/** A note for each reference, `attention` where it was tried and does not resolve. Names only, never a value. */
export async function checkReferences(
  env: EnvFile,
  { reaches }: Surroundings,
  signal: AbortSignal,
): Promise<MastioFinding[]> {
  const found: MastioFinding[] = []
  for (const reference of references(env)) {
    const { key, kind } = reference
    const tried = reaches !== undefined && kind !== 'external'
    if (tried && !(await reaches(reference, signal))) {
      const what = kind === 'file' ? 'there is no such file' : 'the server does not answer'
      found.push(finding('attention', 'env-reference', `${key} does not resolve from this host: ${what}`))
    } else {
      const how = tried ? 'resolves from this host' : 'must resolve from this host; it was not tried'
      found.push(finding('note', 'env-reference', `${key} ${how}`))
    }
  }
  return found
}
