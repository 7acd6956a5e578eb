import path from 'node:path'
import type { Lock } from '../catalog/lock.ts'
import { acquireLock } from '../catalog/lock.ts'
import { reasonOf } from '../errors.ts'
import type { Context } from './context.ts'
import { privateFolder } from './private-folder.ts'
import { drillName, extractName, recoverOther, recoverRestores } from './recover.ts'
import { removeTree } from './remove-tree.ts'
import { rfc3339 } from './time.ts'

/** What a run that changes something holds: the application's lock and a private folder for plaintext in passing. */
export interface Workplace extends AsyncDisposable {
  /** 0700, empty, removed when the run ends; a killed run's is removed when the next one of this application starts. */
  readonly scratch: string
}

/**
 * Takes the lock of an application (LOCKED at once when another run holds it) and cleans up what a killed run left:
 * plaintext in its scratch folder, a restore that was cut off.
 */
export async function enterWorkplace(ctx: Context, app: string, verb: string): Promise<Workplace> {
  await privateFolder(ctx.stateDir)
  const locks = await privateFolder(path.join(ctx.stateDir, 'locks'))
  const holder = { pid: ctx.pid, verb, since: rfc3339(ctx.now()), host: ctx.host }
  const lock: Lock = await acquireLock({ folder: locks, app, holder })
  const scratch = scratchOf(ctx, app)
  try {
    await removeTree(scratch)
    await recoverRestores(ctx, app)
    for (const other of [extractName, drillName(), drillName(app)])
      if (other !== app) await recoverOther(ctx, other, verb)
    await privateFolder(path.dirname(scratch))
    await privateFolder(scratch)
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
  return {
    scratch,
    async [Symbol.asyncDispose]() {
      try {
        await removeTree(scratch)
      } catch (error) {
        // What the run did is done; this must not take its result away.
        const message = `${scratch} could not be removed (${reasonOf(error)}); the next start removes it`
        ctx.emit({ type: 'warning', code: 'cleanup-incomplete', message })
      } finally {
        await lock[Symbol.asyncDispose]()
      }
    },
  }
}

/** The private folder of the run that holds the lock of an application. */
export function scratchOf(ctx: Context, app: string): string {
  return path.join(ctx.stateDir, 'scratch', app)
}
