import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Places } from '../examination.ts'
import type { Stack } from '../live.ts'
import { readBundle } from './bundle.ts'

/** How a bundle is stopped and started: by its `deploy.sh`, or by Compose where it has none. */
export async function stackOf(live: Places): Promise<Stack | undefined> {
  const config = live.get('config')
  if (config === undefined) return undefined
  const folder = dirname(config)
  if (await isThere(join(folder, 'deploy.sh'))) {
    return { folder, stop: ['./deploy.sh', '--down'], start: ['./deploy.sh'] }
  }
  if (!(await isThere(join(folder, 'docker-compose.yml'))) || !(await isThere(config))) return undefined
  const { project } = await readBundle(folder)
  const compose = ['docker', 'compose', '-p', project, '--env-file', 'proxy.env']
  return { folder, stop: [...compose, 'down'], start: [...compose, 'up', '-d'] }
}

/** The version that a command upgrades to: what stands behind its `--upgrade`. */
export function upgradeTo(command: readonly string[]): string | undefined {
  const at = command.findIndex((word) => word === '--upgrade' || word.startsWith('--upgrade='))
  const word = command[at]
  if (word === undefined) return undefined
  return word.includes('=') ? word.slice('--upgrade='.length) : command[at + 1]
}

/**
 * Why a command must not be run: a version that no version is. It would go into a path and an environment file
 * (mastio.md §8).
 */
export function vetChange(command: readonly string[]): string | undefined {
  const version = upgradeTo(command)
  if (version === undefined || /^[A-Za-z0-9.-]+$/.test(version)) return undefined
  return `${JSON.stringify(version)} is no version: only letters, digits, dots and hyphens are in one`
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
