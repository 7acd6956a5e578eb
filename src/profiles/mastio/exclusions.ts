import { valueOf } from './env-file.ts'
import type { EnvFile } from './env-file.ts'

/** Something that a backup of the bundle does not hold, and why: for manifest and report. */
export interface Exclusion {
  readonly what: string
  readonly why: string
}

/** Services that keep the Org CA key outside the bundle. */
export const externalKms: readonly string[] = ['vault', 'aws', 'azure', 'gcp']

/** The external key service that `proxy.env` names, if it names one. */
export function kmsOf(env: EnvFile): string | undefined {
  const backend = valueOf(env, 'MCP_PROXY_KMS_BACKEND')?.toLowerCase()
  return backend !== undefined && externalKms.includes(backend) ? backend : undefined
}

/** What is not backed up, for this configuration. */
export function exclusionsOf(env: EnvFile): Exclusion[] {
  const kms = kmsOf(env)
  const license = (valueOf(env, 'CULLIS_LICENSE_PATH') ?? '') !== ''
  return [
    {
      what: 'secrets in external stores (Vault, AWS Secrets Manager and the like)',
      why: 'they have backups of their own; this one holds the references to them',
    },
    ...(kms === undefined
      ? []
      : [
          {
            what: `the Org CA key in the key service ${kms}`,
            why: 'it never leaves the service; this backup holds the certificate',
          },
        ]),
    { what: 'backups/', why: 'it holds backups itself' },
    {
      what: 'the scripts of the bundle and nginx/*.conf',
      why: 'they come with the bundle of the same version',
    },
    ...(license
      ? [{ what: 'the license file that CULLIS_LICENSE_PATH names', why: 'the vendor issues it again' }]
      : []),
  ]
}
