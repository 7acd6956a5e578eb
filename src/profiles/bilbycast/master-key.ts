import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SealiftError, systemCode } from '../../errors.ts'
import { Secret } from '../../secret.ts'

export const MASTER_KEY_VARIABLE = 'BILBYCAST_MASTER_KEY'
const SHORTEST = 64
const WEAK = ['change-me', 'default', 'secret', 'password', 'bilbycast-manager-default', 'bilbycast-default']

/**
 * The application's master key, as the application itself finds it (bilbycast.md §3): from the environment, else from
 * the first of `.env` and `../.env` that exists. Throws MASTER_KEY_REFUSED with the application's own sentences.
 */
export async function findMasterKey(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<MasterKey> {
  return checkMasterKey(env[MASTER_KEY_VARIABLE] ?? (await fromEnvFile(folder)))
}

export interface MasterKey {
  readonly key: Secret
  /** Sentences without the key. */
  readonly warnings: readonly string[]
}

/** Neither trimmed nor brought to one case: each of its characters counts. */
export function checkMasterKey(value: string | undefined): MasterKey {
  const refuse = (reason: string): never => {
    throw new SealiftError('MASTER_KEY_REFUSED', {
      reason: `Environment variable ${MASTER_KEY_VARIABLE} ${reason}`,
    })
  }
  if (value === undefined || value === '') return refuse('is not set.')
  if (value.length < SHORTEST)
    return refuse(`is too short (${value.length} chars). Must be at least 64 hex chars (32 bytes)`)
  const folded = value.toLowerCase()
  if (WEAK.some((weak) => folded.includes(weak))) return refuse('contains a weak/default value.')
  const warnings = /^[0-9a-f]+$/i.test(value)
    ? []
    : [`${MASTER_KEY_VARIABLE} has other characters than hex digits; it is used as it stands`]
  return { key: new Secret(value), warnings }
}

async function fromEnvFile(folder: string): Promise<string | undefined> {
  for (const path of [join(folder, '.env'), join(folder, '..', '.env')]) {
    try {
      return valueIn(await readFile(path, 'utf8'))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') continue
      throw new SealiftError(
        'IO_FAILED',
        { path, operation: 'reading', reason: systemCode(error) ?? 'failed' },
        error,
      )
    }
  }
  return undefined
}

/** The first assignment stands, as the application's reader has it; `export` and one pair of quotes are not of it. */
function valueIn(text: string): string | undefined {
  const line = new RegExp(
    `^[ \\t]*(?:export[ \\t]+)?${MASTER_KEY_VARIABLE}[ \\t]*=[ \\t]*(.*?)[ \\t]*\\r?$`,
    'm',
  )
  const value = line.exec(text)?.[1]
  if (value === undefined) return undefined
  const quoted = /^(["'])(.*)\1(?:[ \t]+#.*)?$/.exec(value)
  return quoted?.[2] ?? value.replace(/[ \t]+#.*$/, '')
}
