import { join, resolve } from 'node:path'
import { SealiftError } from '../errors.ts'
import type { Environment } from './environment.ts'

/**
 * Where the configuration is: `--config`, then SEALIFT_CONFIG, then ./sealift.yaml, then /etc/sealift/sealift.yaml.
 * One that was named and does not exist is CONFIG_NOT_FOUND, never a reason to take another; nothing named and nothing
 * there is `undefined`, because some verbs need none.
 */
export function findConfig(input: {
  readonly given?: string | undefined
  readonly env: Environment
  readonly cwd: string
  readonly exists: (path: string) => boolean
}): string | undefined {
  const { given, env, cwd, exists } = input
  const named = given ?? (env['SEALIFT_CONFIG'] === '' ? undefined : env['SEALIFT_CONFIG'])
  if (named !== undefined) {
    const path = resolve(cwd, named)
    if (!exists(path)) throw new SealiftError('CONFIG_NOT_FOUND', { path })
    return path
  }
  return [join(cwd, 'sealift.yaml'), '/etc/sealift/sealift.yaml'].find((path) => exists(path))
}
