import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { acquireLock } from '../../src/catalog/lock.ts'
import { isSealiftError, reasonOf } from '../../src/errors.ts'

/** Another process that has taken the lock of an application; throws if it was refused. The caller ends it. */
export async function lockHolder(folder: string, app: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder, app], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said]: unknown[] = await once(child.stdout, 'data')
  if (String(said) === 'locked\n') return child
  await once(child, 'exit')
  throw new Error(`the other process has ${String(said)}`)
}

if (import.meta.main) {
  const [folder = '', app = ''] = process.argv.slice(2)
  const holder = { pid: process.pid, verb: 'backup', since: '2026-05-14T10:30:25Z', host: 'db1' }
  try {
    await using _lock = await acquireLock({ folder, app, holder })
    process.stdout.write('locked\n')
    await new Promise<never>(() => setInterval(() => undefined, 1000))
  } catch (error) {
    process.stdout.write(isSealiftError(error) ? error.code : reasonOf(error))
  }
}
